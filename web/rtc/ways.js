/**
 * The two ways of media, and the crossing from one to the other: from member to member (`Mesh`), or
 * through the server (`Sfu`). The new way is made before the old one is left, for each member by
 * itself, so that no picture is gone meanwhile.
 *
 * @typedef {import('../protocol.js').RoomCommand} RoomCommand
 * @typedef {import('../protocol.js').RoomEvent} RoomEvent
 * @typedef {import('../protocol.js').Member} Member
 * @typedef {import('../protocol.js').Welcome} Welcome
 * @typedef {import('../protocol.js').ServerError} ServerError
 * @typedef {import('./slots.js').Slot} Slot
 * @typedef {import('./peer.js').PeerState} PeerState
 * @typedef {'mesh' | 'sfu'} Way
 */

import { Mesh } from './mesh.js';
import { Sfu } from './sfu.js';

const LOOK_MS = 150; // whether the new way plays
const PATIENCE_MS = 10000; // ... and then it is taken even so
const KEPT_MS = 5000; // the old one stays at least so long: the others cross at their own pace

export class Ways {
  /** @type {Way} */
  topology = 'mesh';
  #changed;
  #you = '';
  /** @type {Map<string, Member>} */
  #members;
  /** @type {RTCIceServer[]} */
  #iceServers = [];
  /** @type {Map<string, Way>} by which each member is seen */
  #via = new Map();
  #crossedAt = 0;
  #timer = 0;
  /** @type {import('./peer.js').Tracks} */
  #tracks = { mic: null, camera: null, screen: null, screenAudio: null };

  /**
   * @param {Map<string, Member>} members the others, as the room has them
   * @param {(command: RoomCommand) => void} send
   * @param {(member: string) => void} changed its state or tracks are not what they were
   */
  constructor(members, send, changed) {
    this.#members = members;
    this.#changed = changed;
    this.mesh = new Mesh(send, changed);
    this.sfu = new Sfu({
      tracks: this.#tracks,
      send,
      changed: (ids) => {
        for (const id of members.keys()) if (ids.includes(id) || ids.length === 0) changed(id);
      },
    });
  }

  /** @param {Welcome} welcome */
  begin(welcome) {
    this.#you = welcome.you;
    this.#iceServers = welcome.iceServers;
    this.sfu.camera = welcome.camera ?? 'simulcast';
    this.topology = welcome.topology === 'sfu' ? 'sfu' : 'mesh';
    this.#via.clear();
    this.#stopLooking();
    this.sfu.forget();
    const inMesh = this.topology === 'mesh' ? welcome.members : [];
    this.mesh.begin(welcome.you, inMesh, welcome.iceServers);
    if (this.topology === 'sfu') this.sfu.open(welcome.iceServers, welcome.members.length);
  }

  /** @param {RTCIceServer[]} iceServers */
  resume(iceServers) {
    this.#iceServers = iceServers;
    this.sfu.setIceServers(iceServers);
    this.sfu.mend();
    this.mesh.resume(iceServers);
  }

  /** @param {RoomEvent} event */
  handle(event) {
    switch (event.type) {
      case 'topology':
        this.#cross(event.topology);
        break;
      case 'sfu-answer':
        this.sfu.answered(event.sdp);
        break;
      case 'tracks':
        this.sfu.tracks(event);
        break;
      case 'sfu-closed':
        if (this.topology === 'sfu') this.sfu.closed();
        else this.sfu.forget();
        break;
      case 'offer':
        // After the crossing it is of one who mends what is left of the mesh.
        if (this.topology === 'mesh' || this.#timer) this.mesh.handle(event);
        break;
      default:
        if (event.type === 'member-left') this.#via.delete(event.member);
        this.mesh.handle(event);
        break;
    }
  }

  /** @param {ServerError} error */
  refused(error) {
    if (error.re === 'sfu-offer') this.sfu.refused(error.code);
  }

  /**
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  setTrack(slot, track) {
    if (this.#tracks[slot] !== track) {
      this.#tracks[slot] = track;
      this.sfu.replace(slot);
    }
    this.mesh.setTrack(slot, track);
  }

  mend() {
    this.sfu.mend();
    this.mesh.mend();
  }

  close() {
    this.#stopLooking();
    this.mesh.close();
    this.sfu.close();
  }

  /**
   * @param {string} id
   * @returns {PeerState}
   */
  state(id) {
    if (this.#way(id) === 'mesh') return this.mesh.peers.get(id)?.state ?? 'connecting';
    const { audio, video, screen } = this.#members.get(id) ?? {};
    const isSilent = !audio && !video && !screen;
    return this.sfu.state === 'connected' && !isSilent && !this.sfu.has(id)
      ? 'connecting' : this.sfu.state;
  }

  /**
   * @param {string} id
   * @param {Slot} slot
   */
  track(id, slot) {
    return this.#way(id) === 'mesh'
      ? this.mesh.peers.get(id)?.remoteTrack(slot) ?? null : this.sfu.remoteTrack(id, slot);
  }

  /** @param {string} id */
  level(id) {
    return this.#way(id) === 'mesh' ? this.mesh.peers.get(id)?.level ?? 0 : this.sfu.level(id);
  }

  /** The RTCPeerConnection by which a member comes. @param {string} id */
  connection(id) {
    return (this.#way(id) === 'mesh' ? this.mesh.peers.get(id)?.connection : this.sfu.connection)
      ?? null;
  }

  /** What is measured: connections, by member, or under '' that with the server. */
  links() {
    /** @type {{ id: string, connection: RTCPeerConnection }[]} */
    const links = [...this.mesh.peers.values()];
    if (this.sfu.connection) links.push({ id: '', connection: this.sfu.connection });
    return links;
  }

  /** Under which of these a member's is. @param {string} id */
  linkOf(id) {
    return this.#way(id) === 'mesh' ? id : '';
  }

  /** @param {string} id */
  #way(id) {
    return this.#via.get(id) ?? this.topology;
  }

  /** @param {Way} topology */
  #cross(topology) {
    if (topology === this.topology) return;
    for (const id of this.#members.keys()) this.#via.set(id, this.#way(id));
    this.topology = topology;
    this.#crossedAt = performance.now();
    if (topology === 'sfu') this.sfu.open(this.#iceServers, this.#members.size);
    else this.mesh.meet(this.#you, [...this.#members.keys()], this.#iceServers);
    this.#stopLooking();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Who is seen by the new way by now? And is the old one of use to anybody still? */
  async #look() {
    const passed = performance.now() - this.#crossedAt;
    for (const [id, via] of this.#via) {
      if (via === this.topology) continue;
      if (!await this.#plays(id) && (passed < PATIENCE_MS || !this.#isThere(id))) continue;
      if (this.#via.get(id) === via) this.#via.delete(id);
      this.#changed(id);
    }
    const isOver = [...this.#via.values()].every((via) => via === this.topology);
    if (!isOver || passed < KEPT_MS || !this.#timer) return;
    this.#stopLooking();
    if (this.topology === 'sfu') this.mesh.close();
    else this.sfu.close();
  }

  /** @param {string} id */
  async #plays(id) {
    const member = this.#members.get(id);
    if (!member) return true;
    /** @type {Slot[]} */
    const slots = [];
    if (member.audio) slots.push('mic');
    if (member.video) slots.push('camera');
    if (member.screen) slots.push('screen');
    const way = this.topology === 'sfu' ? this.sfu : this.mesh;
    for (const slot of slots) if (!await way.plays(id, slot)) return false;
    return this.#isThere(id);
  }

  /** @param {string} id */
  #isThere(id) {
    const state = this.topology === 'sfu' ? this.sfu.state : this.mesh.peers.get(id)?.state;
    return state === 'connected';
  }

  #stopLooking() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }
}

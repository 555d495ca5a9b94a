/**
 * Media from browser to browser: one `Peer` for every other member. It turns room events into
 * negotiations and keeps all peers supplied with one's own tracks. It never touches the DOM.
 *
 * @typedef {import('../protocol.js').RoomCommand} RoomCommand
 * @typedef {import('../protocol.js').RoomEvent} RoomEvent
 * @typedef {import('../protocol.js').Member} Member
 * @typedef {import('./slots.js').Slot} Slot
 * @typedef {import('./peer.js').Tracks} Tracks
 */

import { isPolite } from '../signal/limits.js';
import { applyBudget, cameraBudget, screenBudget } from './budget.js';
import { Peer } from './peer.js';

export class Mesh {
  /** @type {Map<string, Peer>} */
  peers = new Map();
  #send;
  #changed;
  #you = '';
  /** @type {RTCIceServer[]} */
  #iceServers = [];
  /** @type {Tracks} */
  #tracks = { mic: null, camera: null, screen: null, screenAudio: null };
  #wishes = { pictures: true };

  /**
   * @param {(command: RoomCommand) => void} send
   * @param {(member: string) => void} changed a peer's state or tracks are not what they were
   */
  constructor(send, changed) {
    this.#send = send;
    this.#changed = changed;
  }

  /**
   * A place in the room was taken: the newcomer offers to everyone who is there.
   * @param {string} you
   * @param {Member[]} members
   * @param {RTCIceServer[]} iceServers
   */
  begin(you, members, iceServers) {
    this.close();
    this.#you = you;
    this.#iceServers = iceServers;
    for (const member of members) this.#add(member.id, true);
  }

  /**
   * The room has become a mesh with these in it: of two, the one with the greater number offers.
   * @param {string} you
   * @param {string[]} others
   * @param {RTCIceServer[]} iceServers
   */
  meet(you, others, iceServers) {
    this.#you = you;
    this.#iceServers = iceServers;
    for (const id of others) if (!this.peers.has(id) && isPolite(you, id)) this.#add(id, true);
  }

  /**
   * Whether something has come in that slot.
   * @param {string} id
   * @param {Slot} slot
   */
  async plays(id, slot) {
    const report = await this.peers.get(id)?.receiver(slot)?.getStats();
    for (const entry of report?.values() ?? []) {
      if (entry.type !== 'inbound-rtp') continue;
      return (entry.kind === 'video' ? entry.framesDecoded : entry.packetsReceived) > 0;
    }
    return false;
  }

  /**
   * The signalling is back after a gap: paths that broke meanwhile are looked for again.
   * @param {RTCIceServer[]} iceServers
   */
  resume(iceServers) {
    this.#iceServers = iceServers;
    for (const peer of this.peers.values()) {
      peer.setIceServers(iceServers);
      if (peer.state === 'reconnecting' || peer.state === 'failed') peer.mend();
    }
  }

  /** @param {RoomEvent} event */
  handle(event) {
    if (event.type === 'member-left') {
      this.#remove(event.member);
    } else if (event.type === 'offer') {
      const peer = this.peers.get(event.from) ?? this.#add(event.from, false);
      peer.description('offer', event.sdp);
    } else if (event.type === 'answer') {
      this.peers.get(event.from)?.description('answer', event.sdp);
    } else if (event.type === 'candidate') {
      this.peers.get(event.from)?.candidate(event.candidate);
    }
  }

  /**
   * What this member sends from now on; null for nothing.
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  setTrack(slot, track) {
    if (this.#tracks[slot] === track) return;
    this.#tracks[slot] = track;
    for (const peer of this.peers.values()) {
      peer.replace(slot).then(() => this.#spend(peer));
    }
  }

  /** @param {boolean} wanted whether others' pictures are to be received */
  setPictures(wanted) {
    if (this.#wishes.pictures === wanted) return;
    this.#wishes.pictures = wanted;
    for (const peer of this.peers.values()) peer.wish();
  }

  /** The network changed: don't wait for timers. */
  mend() {
    for (const peer of this.peers.values()) {
      if (peer.state !== 'connected') peer.mend();
    }
  }

  close() {
    for (const peer of this.peers.values()) peer.close();
    this.peers.clear();
  }

  /**
   * @param {string} id
   * @param {boolean} initiator
   */
  #add(id, initiator) {
    const peer = new Peer({
      id,
      initiator,
      polite: isPolite(this.#you, id),
      iceServers: this.#iceServers,
      tracks: this.#tracks,
      wishes: this.#wishes,
      send: this.#send,
      changed: () => {
        if (this.peers.get(id) !== peer) return;
        this.#spend(peer);
        this.#changed(id);
      },
    });
    this.peers.set(id, peer);
    this.#spendAll();
    return peer;
  }

  /** @param {string} id */
  #remove(id) {
    this.peers.get(id)?.close();
    if (this.peers.delete(id)) this.#spendAll();
  }

  #spendAll() {
    for (const peer of this.peers.values()) this.#spend(peer);
  }

  /** @param {Peer} peer */
  #spend(peer) {
    const camera = peer.sender('camera');
    const screen = peer.sender('screen');
    if (camera?.track) applyBudget(camera, cameraBudget(this.peers.size));
    if (screen?.track) applyBudget(screen, screenBudget(this.peers.size));
  }
}

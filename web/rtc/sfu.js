/**
 * Media through the server: one RTCPeerConnection, on which this member sends once and receives
 * everybody else in slots (docs/PROTOCOL.md, *Through the server*). It knows nothing of the page.
 *
 * @typedef {import('../protocol.js').RoomCommand} RoomCommand
 * @typedef {import('../protocol.js').TracksEvent} TracksEvent
 * @typedef {import('../protocol.js').Source} Source
 * @typedef {import('../protocol.js').SfuState} SfuState
 * @typedef {import('../protocol.js').SfuWanted} SfuWanted
 * @typedef {import('../protocol.js').Wanted} Wanted
 * @typedef {import('./slots.js').Slot} Slot
 * @typedef {import('./peer.js').PeerState} PeerState
 * @typedef {import('./peer.js').Tracks} Tracks
 *
 * @typedef {object} SfuOptions
 * @property {Tracks} tracks what is sent; read whenever something is offered
 * @property {(command: RoomCommand) => void} send
 * @property {(members: string[]) => void} changed what comes from these is not what it was
 */

import { cameraEncodings, cameraLayers, limit, reshape } from './layers.js';
import { lighten, receivedCodecs, scalableCodecs, slotCount } from './offer.js';

const PATIENCE_MS = 3000; // a short gap mends itself
const RETRY_MS_MAX = 15000;
const FIRST_SLOTS = 2;
const TILES_MAX = 24; // of one message
const SHAPE_AFTER_MS = 500;
const SHAPE_TRIES = 5;

/** @type {Record<Slot, { source: Source, kind: 'audio' | 'video' }>} */
const PUBLISHED = {
  mic: { source: 'microphone', kind: 'audio' },
  camera: { source: 'camera', kind: 'video' },
  screen: { source: 'screen', kind: 'video' },
  screenAudio: { source: 'screen-audio', kind: 'audio' },
};

const SCREEN = [{ maxBitrate: 2_500_000, maxFramerate: 15 }];

export class Sfu {
  /** @type {PeerState} */
  state = 'connecting';
  /** @type {RTCPeerConnection | null} */
  connection = null;
  /** As what the room has cameras sent. */
  camera = 'simulcast';
  #options;
  /** @type {RTCIceServer[]} */
  #iceServers = [];
  /** @type {Partial<Record<Slot, RTCRtpTransceiver>>} */
  #sending = {};
  /** @type {Record<'audio' | 'video', RTCRtpTransceiver[]>} */
  #slots = { audio: [], video: [] };
  /** @type {Map<string, { mid: string, frames: number }>} by member and source */
  #borne = new Map();
  /** @type {Map<string, string>} how large each slot is shown, as it was said last; by mid */
  #said = new Map();
  /** @type {Map<string, import('../protocol.js').PictureReason>} of slots that are off, by mid */
  #off = new Map();
  /** @type {Map<string, Wanted>} what is not wanted whole of what is sent; by mid */
  #unwanted = new Map();
  #hasLayers = false; // the camera is sent in one encoding with layers
  #shaping = false;
  #shapeAgain = false;
  #shapeFailures = 0;
  #wanted = { audio: FIRST_SLOTS, video: FIRST_SLOTS };
  #isNew = true;
  #waiting = false; // for an answer
  #again = false; // something is to be offered behind it
  #restart = false;
  #failures = 0;
  #timer = 0;

  /** @param {SfuOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Connects, unless it is connected already.
   * @param {RTCIceServer[]} iceServers
   * @param {number} others how many members there are to be received
   */
  open(iceServers, others) {
    this.#iceServers = iceServers;
    if (this.connection) return;
    const slots = Math.max(FIRST_SLOTS, others);
    this.#wanted = { audio: slots, video: slots };
    this.#begin();
  }

  /** @param {RTCIceServer[]} iceServers */
  setIceServers(iceServers) {
    this.#iceServers = iceServers;
    try {
      this.connection?.setConfiguration({ iceServers });
    } catch {
      // A browser that refuses a change keeps the servers that it has.
    }
  }

  /**
   * @param {string} member
   * @param {Slot} slot
   */
  remoteTrack(member, slot) {
    return this.#transceiver(member, slot)?.receiver.track ?? null;
  }

  /**
   * How loud the member is just now, 0 to 1.
   * @param {string} member
   */
  level(member) {
    const source = this.#transceiver(member, 'mic')?.receiver.getSynchronizationSources?.()[0];
    if (!source || source.audioLevel === undefined) return 0;
    return performance.timeOrigin + performance.now() - source.timestamp > 1000
      ? 0 : source.audioLevel;
  }

  /**
   * Tells the server how large pictures are shown, where that has changed.
   * @param {{ member: string, slot: Slot, width: number, height: number, priority: number }[]}
   *   pictures in pixels of the screen
   */
  show(pictures) {
    const tiles = [];
    if (this.state !== 'connected') return;
    for (const { member, slot, width, height, priority } of pictures) {
      const mid = this.#transceiver(member, slot)?.mid;
      const size = `${width}x${height}+${priority}`;
      if (!mid || this.#said.get(mid) === size || tiles.length === TILES_MAX) continue;
      this.#said.set(mid, size);
      tiles.push({ mid, width, height, ...(priority && { priority }) });
    }
    if (tiles.length > 0) this.#options.send({ type: 'sfu-wish', tiles });
  }

  /** @param {SfuState} state */
  told(state) {
    this.#off = new Map(state.tracks.filter(({ on }) => !on)
      .map(({ mid, reason }) => [mid, reason]));
    this.#options.changed(this.#members());
  }

  /** What nobody wants is not sent. @param {SfuWanted} message */
  wanted({ tracks }) {
    this.#unwanted = new Map(tracks.map((track) => [track.mid, track]));
    this.#shapeFailures = 0;
    this.#shape();
  }

  /**
   * The section in which a member's picture comes, or one's own goes ('' for one's own id);
   * '' while there is none.
   * @param {string} member
   * @param {Slot} slot
   */
  mid(member, slot) {
    const transceiver = member ? this.#transceiver(member, slot) : this.#sending[slot];
    return transceiver?.mid ?? '';
  }

  /** Why nothing is sent of the member's picture; '' while something is. @param {string} member */
  whyOff(member) {
    return this.#off.get(this.mid(member, 'camera')) ?? '';
  }

  /** @param {string} member */
  has(member) {
    return Object.values(PUBLISHED).some(({ source }) => this.#borne.has(`${member} ${source}`));
  }

  /**
   * Whether the slot has shown something since it bears this, or is not to.
   * @param {string} member
   * @param {Slot} slot
   */
  async plays(member, slot) {
    const borne = this.#borne.get(`${member} ${PUBLISHED[slot].source}`);
    if (!borne || this.state !== 'connected') return false;
    if (this.#off.has(borne.mid)) return true; // it would, and waiting for it is in vain
    return await this.#count(borne.mid) > borne.frames;
  }

  /** @param {Slot} slot */
  replace(slot) {
    const { connection } = this;
    if (!connection) return;
    const track = this.#options.tracks[slot];
    const transceiver = this.#sending[slot];
    if (!transceiver) {
      if (track) this.#offer();
      return;
    }
    transceiver.sender.replaceTrack(track).then(() => this.#shape(), () => {});
    const isShared = slot === 'screen' || slot === 'screenAudio';
    const direction = track || !isShared ? 'sendonly' : 'inactive';
    if (transceiver.direction === direction) return;
    transceiver.direction = direction;
    this.#offer();
  }

  /** @param {string} sdp */
  async answered(sdp) {
    const { connection } = this;
    if (!connection || !this.#waiting) return;
    if (this.#isNew) this.#unwanted.clear(); // that was said of the one before
    try {
      await connection.setRemoteDescription({ type: 'answer', sdp });
    } catch {
      if (connection === this.connection) this.#beginAfterFailure();
      return;
    }
    if (connection !== this.connection) return;
    this.#waiting = false;
    this.#isNew = false;
    this.#shape();
    this.#options.changed(this.#members());
    if (this.#again) this.#offer();
  }

  /** @param {TracksEvent} event */
  async tracks(event) {
    const before = this.#borne;
    const members = new Set(this.#members());
    this.#borne = new Map();
    for (const { mid, member, source } of event.tracks) {
      const key = `${member} ${source}`;
      const known = before.get(key);
      const borne = known?.mid === mid ? known : { mid, frames: Infinity };
      this.#borne.set(key, borne);
      members.add(member);
      if (borne !== known) this.#said.delete(mid); // it was said of another track
      if (borne !== known) this.#count(mid).then((frames) => { borne.frames = frames; });
    }
    this.#wanted = event.wanted;
    this.#options.changed([...members]);
    if (this.connection && this.#lacksSlots()) this.#offer();
  }

  /** An offer of ours was refused. @param {string} code */
  async refused(code) {
    const { connection } = this;
    if (!connection || !this.#waiting) return;
    if (this.#isNew || code === 'no-sfu') {
      this.#beginAfterFailure();
      return;
    }
    // What was agreed before goes on.
    this.#waiting = false;
    this.#again = false;
    await connection.setLocalDescription({ type: 'rollback' }).catch(() => {});
  }

  /** The server has ended the connection. */
  closed() {
    if (this.connection) this.#beginAfterFailure();
  }

  /** The network may be another one: looks for a new way now. */
  mend() {
    if (this.connection && this.state !== 'connected') this.restart();
  }

  /** Looks for a way to the server anew (an ICE restart); the old one is used meanwhile. */
  restart() {
    clearTimeout(this.#timer);
    this.#restart = true;
    this.#offer();
  }

  close() {
    clearTimeout(this.#timer);
    if (!this.connection) return;
    this.#options.send({ type: 'sfu-close' });
    this.#drop();
  }

  /** The same without a word, for nobody would hear it. */
  #drop() {
    const members = this.#members();
    clearTimeout(this.#timer);
    if (this.connection) {
      this.connection.onconnectionstatechange = null;
      this.connection.close();
    }
    this.connection = null;
    this.#sending = {};
    this.#slots = { audio: [], video: [] };
    this.#borne.clear();
    this.#said.clear();
    this.#off.clear();
    this.#unwanted.clear();
    this.#waiting = false;
    this.#again = false;
    this.#options.changed(members);
  }

  /** Forgets the connection: the place in the room is another one. */
  forget() {
    clearTimeout(this.#timer);
    if (this.connection) this.#drop();
    this.#failures = 0;
    this.#setState('connecting');
  }

  #begin() {
    clearTimeout(this.#timer);
    const connection = new RTCPeerConnection({
      iceServers: this.#iceServers, bundlePolicy: 'max-bundle',
    });
    this.connection = connection;
    this.#isNew = true;
    this.#restart = false;
    connection.onconnectionstatechange = () => this.#follow(connection);
    connection.ontrack = () => this.#options.changed(this.#members());
    this.#offer();
  }

  #beginAfterFailure() {
    this.#failures += 1;
    this.#setState(this.#failures > 3 ? 'failed' : 'reconnecting');
    this.#drop();
    const wait = Math.min(RETRY_MS_MAX, 250 * 2 ** this.#failures);
    this.#timer = setTimeout(() => this.#begin(), wait);
  }

  #members() {
    return [...new Set([...this.#borne.keys()].map((key) => key.split(' ')[0]))];
  }

  /**
   * @param {string} member
   * @param {Slot} slot
   */
  #transceiver(member, slot) {
    const borne = this.#borne.get(`${member} ${PUBLISHED[slot].source}`);
    const all = this.#slots[PUBLISHED[slot].kind];
    return borne ? all.find((transceiver) => transceiver.mid === borne.mid) : undefined;
  }

  /**
   * Frames of a video slot, packets of an audio slot, so far.
   * @param {string} mid
   */
  async #count(mid) {
    const all = [...this.#slots.audio, ...this.#slots.video];
    const receiver = all.find((transceiver) => transceiver.mid === mid)?.receiver;
    if (!receiver) return 0;
    const report = await receiver.getStats();
    for (const entry of report.values()) {
      if (entry.type !== 'inbound-rtp') continue;
      return (entry.kind === 'video' ? entry.framesDecoded : entry.packetsReceived) ?? 0;
    }
    return 0;
  }

  #lacksSlots() {
    return this.#slots.audio.length < slotCount(this.#wanted.audio)
      || this.#slots.video.length < slotCount(this.#wanted.video);
  }

  /** Sections for all that is sent and received. @param {RTCPeerConnection} connection */
  #addSections(connection) {
    for (const slot of /** @type {Slot[]} */ (Object.keys(PUBLISHED))) {
      const track = this.#options.tracks[slot];
      const isShared = slot === 'screen' || slot === 'screenAudio';
      if (this.#sending[slot] || (isShared && !track)) continue;
      const { kind } = PUBLISHED[slot];
      const codecs = slot === 'camera' ? scalableCodecs(this.camera) : null;
      if (slot === 'camera') this.#hasLayers = codecs !== null;
      const encodings = codecs ? cameraLayers : cameraEncodings;
      const sendEncodings = slot === 'camera' ? encodings(track?.getSettings() ?? {})
        : slot === 'screen' ? SCREEN : [{}];
      const transceiver = connection.addTransceiver(track ?? kind, {
        direction: 'sendonly', sendEncodings,
      });
      if (codecs) transceiver.setCodecPreferences(codecs);
      this.#sending[slot] = transceiver;
    }
    for (const kind of /** @type {const} */ (['audio', 'video'])) {
      const slots = this.#slots[kind];
      while (slots.length < slotCount(this.#wanted[kind])) {
        const transceiver = connection.addTransceiver(kind, { direction: 'recvonly' });
        try {
          transceiver.setCodecPreferences?.(receivedCodecs(kind));
        } catch {
          // All of its formats, then.
        }
        slots.push(transceiver);
      }
    }
  }

  /**
   * Changes what a sender is to send.
   * @param {Slot} slot
   * @param {RTCRtpSender} sender
   * @param {RTCRtpEncodingParameters[]} encodings
   * @param {Wanted} [wanted]
   * @returns {boolean} whether anything is another than it was
   */
  #reshape(slot, sender, encodings, wanted) {
    if (PUBLISHED[slot].kind === 'audio') return limit(encodings, wanted?.bps);
    const form = slot !== 'camera' ? null : this.#hasLayers ? cameraLayers
      : encodings.length > 1 ? cameraEncodings : null;
    const shape = form?.(sender.track?.getSettings() ?? {}, wanted) ?? null;
    return reshape(encodings, shape, wanted?.on ?? true);
  }

  /** Has all sent as it is worth, and wanted. */
  async #shape() {
    this.#shapeAgain = this.#shaping;
    if (this.#shaping) return;
    this.#shaping = true;
    for (const slot of /** @type {Slot[]} */ (Object.keys(PUBLISHED))) {
      const { mid, sender } = this.#sending[slot] ?? {};
      const parameters = sender?.getParameters();
      const encodings = parameters?.encodings ?? [];
      const wanted = this.#unwanted.get(mid ?? '');
      if (!sender || !parameters || !this.#reshape(slot, sender, encodings, wanted)) continue;
      try {
        await sender.setParameters(parameters);
        this.#shapeFailures = 0;
      } catch {
        // A negotiation may have gone on meanwhile. Nobody waits for this: less is sent later.
        this.#shapeFailures += 1;
        if (this.#shapeFailures < SHAPE_TRIES) setTimeout(() => this.#shape(), SHAPE_AFTER_MS);
      }
    }
    this.#shaping = false;
    if (this.#shapeAgain) this.#shape();
  }

  async #offer() {
    const { connection } = this;
    if (!connection) return;
    this.#again = this.#waiting;
    if (this.#waiting) return;
    this.#waiting = true;
    try {
      this.#addSections(connection);
      const iceRestart = this.#restart;
      this.#restart = false;
      await connection.setLocalDescription(await connection.createOffer({ iceRestart }));
      if (connection !== this.connection) return;
      this.#options.send({
        type: 'sfu-offer',
        ...(this.#isNew && { new: true }),
        sdp: lighten(connection.localDescription?.sdp ?? ''),
        tracks: this.#published(),
      });
    } catch {
      if (connection === this.connection) this.#beginAfterFailure();
    }
  }

  #published() {
    const tracks = [];
    for (const slot of /** @type {Slot[]} */ (Object.keys(PUBLISHED))) {
      const transceiver = this.#sending[slot];
      if (!transceiver?.mid || transceiver.direction !== 'sendonly') continue;
      tracks.push({ mid: transceiver.mid, source: PUBLISHED[slot].source });
    }
    return tracks;
  }

  /** @param {RTCPeerConnection} connection */
  #follow(connection) {
    if (connection !== this.connection) return;
    clearTimeout(this.#timer);
    switch (connection.connectionState) {
      case 'connected':
        this.#failures = 0;
        this.#setState('connected');
        break;
      case 'disconnected':
        this.#setState('reconnecting');
        this.#timer = setTimeout(() => this.mend(), PATIENCE_MS);
        break;
      case 'failed':
        this.#beginAfterFailure();
        break;
      default: break;
    }
  }

  /** @param {PeerState} state */
  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.#options.changed(this.#members());
  }
}

/**
 * The media connection to one other member: perfect negotiation, trickled candidates, and the
 * mending of a path that broke. It knows nothing of the page and of the room.
 *
 * @typedef {import('../protocol.js').Candidate} Candidate
 * @typedef {import('../protocol.js').RoomCommand} RoomCommand
 * @typedef {import('./slots.js').Slot} Slot
 * @typedef {Record<Slot, MediaStreamTrack | null>} Tracks
 * @typedef {'connecting' | 'connected' | 'reconnecting' | 'failed'} PeerState
 *
 * @typedef {object} PeerOptions
 * @property {string} id the other member
 * @property {boolean} polite gives way when offers collide
 * @property {boolean} initiator makes the first offer
 * @property {RTCIceServer[]} iceServers
 * @property {Tracks} tracks what is sent; read at every negotiation, owned by the mesh
 * @property {{ pictures: boolean }} wishes what is to be received: the same
 * @property {(command: RoomCommand) => void} send
 * @property {() => void} changed state or tracks are not what they were
 */

import { SLOTS, slotsOf } from './slots.js';

const CANDIDATES_MAX = 256; // held back before the first description
const LATE_MS = 20000; // no connection after so long: say so
const PATIENCE_MS = 4000; // a short gap mends itself
const RETRY_MS_MAX = 30000;
const POLITE_MS = 2500; // the polite side starts mending later, so that offers seldom collide

/** The streams group what belongs together, for clients that look at streams. */
const personStream = globalThis.MediaStream ? new MediaStream() : null;
const screenStream = globalThis.MediaStream ? new MediaStream() : null;

export class Peer {
  /** @type {PeerState} */
  state = 'connecting';
  /** @type {RTCPeerConnection} */
  connection;
  #options;
  #makingOffer = false;
  #ignoringOffer = false;
  #settingAnswer = false;
  #closed = false;
  #connectedOnce = false;
  #failures = 0;
  /** @type {Candidate[]} */
  #early = [];
  /** @type {Promise<void>} */
  #queue = Promise.resolve();
  #mendTimer = 0;
  #lateTimer = 0;

  /** @param {PeerOptions} options */
  constructor(options) {
    this.#options = options;
    this.connection = this.#connect(options.iceServers);
    this.#lateTimer = setTimeout(() => {
      if (!this.#connectedOnce) this.#setState('failed');
    }, LATE_MS);
    if (options.initiator) {
      for (const { slot } of SLOTS) this.#addSlot(slot);
    }
  }

  get id() {
    return this.#options.id;
  }

  /**
   * What comes from the other member in a slot; null when it has no such section.
   * @param {Slot} slot
   */
  remoteTrack(slot) {
    return slotsOf(this.connection.getTransceivers())[slot]?.receiver.track ?? null;
  }

  /** @param {Slot} slot */
  receiver(slot) {
    return slotsOf(this.connection.getTransceivers())[slot]?.receiver ?? null;
  }

  /** @param {Slot} slot */
  sender(slot) {
    return slotsOf(this.connection.getTransceivers())[slot]?.sender ?? null;
  }

  /** How loud the other member is just now, 0 to 1. */
  get level() {
    const receiver = slotsOf(this.connection.getTransceivers()).mic?.receiver;
    const source = receiver?.getSynchronizationSources?.()[0];
    if (!source || source.audioLevel === undefined) return 0;
    return performance.timeOrigin + performance.now() - source.timestamp > 1000
      ? 0 : source.audioLevel; // the last packet is old: silence, not its echo
  }

  /**
   * One's own track in this slot changed (the new one is in `tracks` already).
   * @param {Slot} slot
   */
  async replace(slot) {
    const transceiver = slotsOf(this.connection.getTransceivers())[slot];
    const track = this.#options.tracks[slot];
    if (!transceiver) {
      // Before the first offer has come there is nothing to add to: the answer will carry it.
      if (track && this.connection.remoteDescription) this.#addSlot(slot);
      return;
    }
    try {
      await transceiver.sender.replaceTrack(track);
      if (track) this.#direct(transceiver, slot);
    } catch {
      // The connection was closed meanwhile.
    }
  }

  /** What is wished is another thing now. */
  wish() {
    const slots = slotsOf(this.connection.getTransceivers());
    for (const slot of /** @type {const} */ (['camera', 'screen'])) {
      const transceiver = slots[slot];
      if (transceiver) this.#direct(transceiver, slot);
    }
  }

  /** @param {RTCIceServer[]} iceServers */
  setIceServers(iceServers) {
    this.#options.iceServers = iceServers;
    try {
      this.connection.setConfiguration({ iceServers });
    } catch {
      // A browser that refuses a change keeps the servers that it has.
    }
  }

  /** Looks for a new path now, if there is none that works. */
  mend() {
    if (this.#closed || this.connection.connectionState === 'connected') return;
    if (!this.connection.remoteDescription && this.#options.initiator === false) return;
    clearTimeout(this.#mendTimer);
    this.#mendTimer = 0;
    this.connection.restartIce();
  }

  /**
   * @param {'offer' | 'answer'} type
   * @param {string} sdp
   */
  description(type, sdp) {
    this.#inTurn(() => this.#takeDescription({ type, sdp }));
  }

  /** @param {Candidate} candidate */
  candidate(candidate) {
    this.#inTurn(() => this.#takeCandidate(candidate));
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#mendTimer);
    clearTimeout(this.#lateTimer);
    this.connection.close();
  }

  /** @param {RTCIceServer[]} iceServers */
  #connect(iceServers) {
    const connection = new RTCPeerConnection({ iceServers });
    connection.onnegotiationneeded = () => this.#offer(connection);
    connection.onicecandidate = ({ candidate }) => {
      const init = candidate ? candidate.toJSON() : null;
      this.#options.send({ type: 'candidate', to: this.id, candidate: init });
    };
    connection.ontrack = ({ track }) => {
      track.onunmute = () => this.#options.changed();
      track.onmute = () => this.#options.changed();
      this.#options.changed();
    };
    connection.onconnectionstatechange = () => this.#follow(connection);
    return connection;
  }

  /** @param {Slot} slot */
  #addSlot(slot) {
    const kind = slot === 'mic' || slot === 'screenAudio' ? 'audio' : 'video';
    const stream = slot === 'mic' || slot === 'camera' ? personStream : screenStream;
    this.connection.addTransceiver(this.#options.tracks[slot] ?? kind, {
      direction: this.#direction(slot),
      streams: stream ? [stream] : [],
    });
  }

  /**
   * @param {Slot} slot
   * @returns {'sendrecv' | 'sendonly'}
   */
  #direction(slot) {
    const isPicture = slot === 'camera' || slot === 'screen';
    return isPicture && !this.#options.wishes.pictures ? 'sendonly' : 'sendrecv';
  }

  /**
   * @param {RTCRtpTransceiver} transceiver
   * @param {Slot} slot
   */
  #direct(transceiver, slot) {
    const direction = this.#direction(slot);
    if (transceiver.direction !== direction) transceiver.direction = direction;
  }

  /** @param {RTCPeerConnection} connection */
  async #offer(connection) {
    if (this.#closed || connection !== this.connection) return;
    try {
      this.#makingOffer = true;
      await connection.setLocalDescription();
      const description = connection.localDescription;
      if (description) this.#sendDescription(description);
    } catch {
      // Closed meanwhile, or an offer of the other side came first: its answer settles it.
    } finally {
      this.#makingOffer = false;
    }
  }

  /** @param {RTCSessionDescription} description */
  #sendDescription(description) {
    const type = description.type === 'offer' ? 'offer' : 'answer';
    this.#options.send({ type, to: this.id, sdp: description.sdp });
  }

  /**
   * Descriptions and candidates are taken one after the other, in the order of the room.
   * @param {() => Promise<void>} task
   */
  #inTurn(task) {
    this.#queue = this.#queue.then(async () => {
      if (!this.#closed) await task();
    }).catch(() => {
      // What the other side sent could not be used; its next offer may be.
    });
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #takeDescription(description) {
    const stable = this.connection.signalingState === 'stable' || this.#settingAnswer;
    const collision = description.type === 'offer' && (this.#makingOffer || !stable);
    this.#ignoringOffer = !this.#options.polite && collision;
    if (this.#ignoringOffer) return;
    if (description.type === 'answer' && this.connection.signalingState === 'stable') return;
    this.#settingAnswer = description.type === 'answer';
    try {
      await this.connection.setRemoteDescription(description);
    } catch (error) {
      if (description.type === 'answer') throw error;
      await this.#startOver(description);
    } finally {
      this.#settingAnswer = false;
    }
    for (const candidate of this.#early.splice(0)) await this.#takeCandidate(candidate);
    if (description.type === 'offer') await this.#answer();
    this.#options.changed();
  }

  /**
   * The offer does not continue what we had (the other page began anew): begin anew as well.
   * @param {RTCSessionDescriptionInit} offer
   */
  async #startOver(offer) {
    this.connection.onconnectionstatechange = null;
    this.connection.onicecandidate = null;
    this.connection.close();
    this.connection = this.#connect(this.#options.iceServers);
    await this.connection.setRemoteDescription(offer);
  }

  async #answer() {
    const slots = slotsOf(this.connection.getTransceivers());
    for (const { slot } of SLOTS) {
      const transceiver = slots[slot];
      if (!transceiver) continue;
      const stream = slot === 'mic' || slot === 'camera' ? personStream : screenStream;
      if (stream) transceiver.sender.setStreams?.(stream);
      await transceiver.sender.replaceTrack(this.#options.tracks[slot]);
      this.#direct(transceiver, slot);
    }
    await this.connection.setLocalDescription();
    if (this.connection.localDescription) this.#sendDescription(this.connection.localDescription);
    for (const { slot } of SLOTS) {
      if (!slots[slot] && this.#options.tracks[slot]) this.#addSlot(slot);
    }
  }

  /** @param {Candidate} candidate */
  async #takeCandidate(candidate) {
    if (!this.connection.remoteDescription) {
      if (this.#early.length < CANDIDATES_MAX) this.#early.push(candidate);
      return;
    }
    try {
      await this.connection.addIceCandidate(candidate ?? undefined);
    } catch {
      // It belonged to an offer that was ignored or replaced, or is of a kind that we can't use.
    }
  }

  /** @param {RTCPeerConnection} connection */
  #follow(connection) {
    if (this.#closed || connection !== this.connection) return;
    const wait = this.#options.polite ? POLITE_MS : 0;
    switch (connection.connectionState) {
      case 'connected':
        this.#connectedOnce = true;
        this.#failures = 0;
        clearTimeout(this.#mendTimer);
        this.#mendTimer = 0;
        this.#setState('connected');
        break;
      case 'disconnected':
        this.#setState('reconnecting');
        this.#mendAfter(PATIENCE_MS + wait);
        break;
      case 'failed':
        this.#failures += 1;
        this.#setState(this.#connectedOnce && this.#failures < 3 ? 'reconnecting' : 'failed');
        this.#mendAfter(Math.min(RETRY_MS_MAX, 500 * 2 ** this.#failures) + wait);
        break;
      default:
        if (this.#failures === 0) this.#setState(this.#connectedOnce ? 'reconnecting' : this.state);
        break;
    }
  }

  /** @param {number} ms */
  #mendAfter(ms) {
    clearTimeout(this.#mendTimer);
    this.#mendTimer = setTimeout(() => this.mend(), ms);
  }

  /** @param {PeerState} state */
  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.#options.changed();
  }
}

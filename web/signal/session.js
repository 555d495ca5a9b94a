/**
 * The signalling session: one member's place in one room, over as many WebSockets as it takes.
 * It joins, numbers what it sends, keeps it until acknowledged, notices a dead server, reconnects
 * by itself, resumes, and joins anew when the place is gone. Room events come out once and in
 * order. It never touches the DOM or media; socket, clock and chance are arguments (`World`).
 *
 * @typedef {import('../protocol.js').FromServer} FromServer
 * @typedef {import('../protocol.js').RoomEvent} RoomEvent
 * @typedef {import('../protocol.js').RoomCommand} RoomCommand
 * @typedef {import('../protocol.js').Numbered} Numbered
 * @typedef {import('../protocol.js').Welcome} Welcome
 * @typedef {import('../protocol.js').Resumed} Resumed
 * @typedef {import('../protocol.js').ServerError} ServerError
 * @typedef {import('../protocol.js').SfuState} SfuState
 * @typedef {import('../protocol.js').SfuWanted} SfuWanted
 * @typedef {import('../protocol.js').Why} Why
 * @typedef {import('../protocol.js').PassingCommand} PassingCommand
 *
 * @typedef {'idle' | 'joining' | 'joined' | 'reconnecting' | 'ended'} SessionState
 *
 * @typedef {object} Socket the part of WebSocket that is used
 * @property {(text: string) => void} send
 * @property {(code: number) => void} close
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 *
 * @typedef {object} World
 * @property {(url: string) => Socket} open
 * @property {() => number} now milliseconds
 * @property {() => number} random
 * @property {(run: () => void, ms: number) => () => void} after returns how to call it off
 *
 * @typedef {object} JoinRequest
 * @property {string} room
 * @property {string} name
 * @property {string} [token]
 * @property {boolean} audio
 * @property {boolean} video
 * @property {boolean} screen
 * @property {string[]} [topologies]
 *
 * @typedef {object} Handlers
 * @property {(state: SessionState, attempt: number) => void} state
 * @property {(welcome: Welcome, again: boolean) => void} welcome `again`: the old place was lost
 * @property {(resumed: Resumed) => void} resumed
 * @property {(event: RoomEvent) => void} event
 * @property {(state: SfuState) => void} [pictures] what the server's pictures are like
 * @property {(message: SfuWanted) => void} [wanted] what nobody wants of one's own
 * @property {(why: Why) => void} [why] ... and why
 * @property {(message: import('../protocol.js').SpeakersMessage) => void} [speakers]
 * @property {(code: string, message: string) => void} refused the end, for this reason
 * @property {(error: ServerError) => void} error a message of ours was refused; the session goes on
 */

import { backoffMs } from './backoff.js';
import { Outbox } from './outbox.js';

const TICK_MS = 4000;
const QUIET_MS = 9000; // nothing heard for so long: ask
const PONG_MS = 9000; // and no answer for so long: the server is gone
const OPEN_MS = 10000;
const GIVE_UP = 4001; // our close code: "broken", so that the place is kept

/** These say that waiting may help: the join is tried again as if the server were away. */
const PASSING = new Set(['server-full', 'timeout', 'too-fast']);

/** @type {World} */
export const browserWorld = {
  open: (url) => new WebSocket(url),
  now: () => performance.now(),
  random: () => Math.random(),
  after: (run, ms) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class Session {
  #url;
  #world;
  #on;
  #outbox = new Outbox();
  /** @type {() => JoinRequest} */
  #request = () => ({ room: '', name: '', audio: false, video: false, screen: false });
  /** @type {SessionState} */
  #state = 'idle';
  /** @type {Socket | null} */
  #socket = null;
  #open = false; // the socket's handshake is done
  #flowing = false; // welcomed or resumed on this very socket: what is sent now is heard
  #secret = '';
  #seq = 0;
  #welcomed = false;
  #attempt = 0;
  #heardAt = 0;
  #askedAt = 0; // 0: no ping is waiting for its answer
  /** @type {(() => void) | null} */
  #cancelRetry = null;
  /** @type {(() => void) | null} */
  #cancelTick = null;

  /**
   * @param {string} url of `/api/v1/meet`
   * @param {Handlers} handlers
   * @param {World} [world]
   */
  constructor(url, handlers, world = browserWorld) {
    this.#url = url;
    this.#on = handlers;
    this.#world = world;
  }

  get state() {
    return this.#state;
  }

  /** The last room event that was handed on. */
  get seq() {
    return this.#seq;
  }

  /** How many of our messages are not yet acknowledged. */
  get unacknowledged() {
    return this.#outbox.size;
  }

  /**
   * @param {() => JoinRequest} request asked at every join, because a later one may find the
   *     camera on that was off at first
   */
  join(request) {
    this.#request = request;
    this.#attempt = 0;
    this.#setState('joining');
    this.#connect();
  }

  /**
   * Sends it now, or as soon as the server is back; never twice.
   * @param {RoomCommand} command
   */
  send(command) {
    if (!this.#welcomed || this.#state === 'ended') return;
    if (this.#outbox.full) {
      this.#secret = ''; // the server has not listened for so long that the place is gone anyway
      this.#broken();
      return;
    }
    const message = this.#outbox.push(command);
    if (this.#flowing) this.#write(message);
  }

  /**
   * Sends it now or never.
   * @param {PassingCommand} command
   * @returns {boolean} whether it went out
   */
  mention(command) {
    if (!this.#flowing || this.#state !== 'joined') return false;
    this.#transmit(command);
    return true;
  }

  /** Gives the place up at once. */
  leave() {
    if (this.#state === 'ended') return;
    if (this.#open) this.#transmit({ type: 'leave' });
    this.#end(1000);
  }

  /** The machine woke up or its network is said to be back: look at once, not at the next turn. */
  wake() {
    if (this.#state === 'ended' || this.#state === 'idle') return;
    if (this.#cancelRetry) {
      this.#connect();
    } else if (this.#flowing && !this.#askedAt) {
      this.#ping();
    }
  }

  /** Cuts the connection as a broken network would; what follows is the ordinary recovery. */
  drop() {
    this.#broken();
  }

  /** @param {SessionState} state */
  #setState(state) {
    this.#state = state;
    this.#on.state(state, this.#attempt);
  }

  #connect() {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#forgetSocket();
    /** @type {Socket} */
    let socket;
    try {
      socket = this.#world.open(this.#url);
    } catch {
      this.#broken();
      return;
    }
    this.#socket = socket;
    const late = this.#world.after(() => {
      if (socket === this.#socket && !this.#open) this.#broken();
    }, OPEN_MS);
    socket.onopen = () => {
      late();
      if (socket !== this.#socket) return;
      this.#open = true;
      this.#heardAt = this.#world.now();
      this.#introduce();
      this.#tick();
    };
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    };
    socket.onclose = (event) => {
      late();
      if (socket === this.#socket) this.#closed(event.code);
    };
  }

  #introduce() {
    const { room } = this.#request();
    if (this.#secret) {
      this.#transmit({ type: 'resume', version: 1, room, session: this.#secret, seq: this.#seq });
    } else {
      this.#transmit({ type: 'join', version: 1, ...this.#request() });
    }
  }

  /** @param {object} message */
  #transmit(message) {
    try {
      this.#socket?.send(JSON.stringify(message));
    } catch {
      this.#broken();
    }
  }

  /** @param {Numbered} message */
  #write(message) {
    this.#outbox.markSent(message);
    this.#transmit(message);
  }

  /** @param {unknown} data */
  #receive(data) {
    this.#heardAt = this.#world.now();
    this.#askedAt = 0;
    /** @type {FromServer} */
    let message;
    try {
      message = JSON.parse(String(data));
    } catch {
      return; // not ours to understand; the protocol asks receivers to be tolerant
    }
    if (!message || typeof message !== 'object') return;
    switch (message.type) {
      case 'welcome': return this.#onWelcome(message);
      case 'resumed': return this.#onResumed(message);
      case 'ack': return this.#outbox.acknowledge(message.id);
      case 'pong': return undefined;
      case 'error': return this.#onError(message);
      case 'sfu-state': return this.#on.pictures?.(message);
      case 'sfu-wanted': return this.#on.wanted?.(message);
      case 'sfu-why': return this.#on.why?.(message.why);
      case 'speakers': return this.#on.speakers?.(message);
      default: return this.#onEvent(message);
    }
  }

  /** @param {Welcome} welcome */
  #onWelcome(welcome) {
    const again = this.#welcomed;
    const unheard = this.#outbox.neverSent();
    this.#outbox.reset();
    this.#secret = welcome.session;
    this.#seq = welcome.seq;
    this.#welcomed = true;
    this.#flowing = true;
    this.#attempt = 0;
    this.#on.welcome(welcome, again);
    this.#setState('joined');
    for (const message of unheard) {
      // Offers and ids belonged to the lost place; what a person wrote to everyone did not.
      if (message.type === 'chat' && !message.to) this.send({ type: 'chat', text: message.text });
    }
  }

  /** @param {Resumed} resumed */
  #onResumed(resumed) {
    this.#outbox.acknowledge(resumed.received);
    this.#flowing = true;
    this.#attempt = 0;
    for (const message of this.#outbox.waiting()) this.#write(message);
    this.#on.resumed(resumed);
    this.#setState('joined');
  }

  /** @param {RoomEvent} event */
  #onEvent(event) {
    if (typeof event.seq !== 'number' || event.seq <= this.#seq) return; // unknown, or seen before
    this.#seq = event.seq;
    this.#on.event(event);
  }

  /** @param {ServerError} error */
  #onError(error) {
    if (error.code === 'session-lost') {
      this.#secret = '';
      this.#introduce();
    } else if (error.code === 'bad-id') {
      this.#broken(); // `resumed` will say where the server stands
    } else if (this.#flowing) {
      this.#on.error(error);
    } else if (PASSING.has(error.code) && this.#welcomed) {
      this.#broken();
    } else {
      this.#end(1000);
      this.#on.refused(error.code, error.message);
    }
  }

  /** @param {number} code */
  #closed(code) {
    if (code === 4000) {
      this.#end(1000);
      this.#on.refused('replaced', '');
      return;
    }
    this.#broken();
  }

  /** The connection is of no more use: another one, after a while. */
  #broken() {
    if (this.#state === 'ended') return;
    this.#forgetSocket();
    if (this.#cancelRetry) return;
    const wait = backoffMs(this.#attempt, this.#world.random());
    this.#attempt += 1;
    this.#cancelRetry = this.#world.after(() => this.#connect(), wait);
    this.#setState(this.#welcomed ? 'reconnecting' : 'joining');
  }

  #forgetSocket() {
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    this.#flowing = false;
    this.#askedAt = 0;
    this.#cancelTick?.();
    this.#cancelTick = null;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close(GIVE_UP);
  }

  /** @param {number} code */
  #end(code) {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    this.#flowing = false;
    this.#cancelTick?.();
    socket?.close(code);
    this.#setState('ended');
  }

  /** A page sees no WebSocket pings, so it asks for itself whether the server is there. */
  #tick() {
    this.#cancelTick?.();
    this.#cancelTick = this.#world.after(() => this.#tick(), TICK_MS);
    const now = this.#world.now();
    if (this.#askedAt && now - this.#askedAt >= PONG_MS) {
      this.#broken();
    } else if (!this.#askedAt && now - this.#heardAt >= QUIET_MS) {
      this.#ping();
    }
  }

  #ping() {
    this.#askedAt = this.#world.now();
    this.#transmit({ type: 'ping' });
  }
}

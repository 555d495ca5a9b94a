/**
 * Why pictures look as they do: asks the server, keeps its last answer and what the last minutes
 * of them said, and tells it what only this browser knows, of its encoders. It knows nothing of the
 * page.
 *
 * @typedef {import('../protocol.js').Why} WhyAnswer
 * @typedef {import('../protocol.js').WhyPicture} WhyPicture
 * @typedef {import('../protocol.js').Limit} Limit
 * @typedef {import('../protocol.js').PassingCommand} PassingCommand
 * @typedef {{ camera?: Limit, screen?: Limit }} Limits
 */

import { HISTORY_MAX } from './stats.js';

const ASK_MS = 4500; // for the words on the tiles
const ASK_OPEN_MS = 900; // while somebody looks at the figures
const SETTLED_MS = 5000; // a limit that comes and goes sooner is none
const WARM_MS = 20000; // browsers begin low, and call that a limit
const TELL_MS = 5000;

export class Why {
  /** @type {WhyAnswer | null} */
  answer = null;
  /** @type {(number | null)[]} kbit/s that the line is thought to take, by the second */
  estimates = [];
  /** @type {Map<string, (number | null)[]>} lines of each picture that is received, by its mid */
  heights = new Map();
  #say;
  #askedAt = -Infinity;
  #toldAt = -Infinity;
  #since = -1; // when this connection was first heard of; -1: there is none
  /** @type {Limits} */
  #told = {};
  /** @type {Record<'camera' | 'screen', { limit: Limit, since: number }>} */
  #seen = { camera: { limit: 'unknown', since: 0 }, screen: { limit: 'unknown', since: 0 } };

  /** @param {(command: PassingCommand) => boolean} say whether it went out */
  constructor(say) {
    this.#say = say;
  }

  /** @param {WhyAnswer} answer */
  told(answer) {
    this.answer = answer;
  }

  /** The connection with the server is no more, or another one. */
  forget() {
    this.answer = null;
    this.estimates = [];
    this.heights.clear();
    this.#told = {};
    this.#askedAt = -Infinity;
    this.#toldAt = -Infinity;
    this.#since = -1;
  }

  /**
   * What is known of the picture in that slot.
   * @param {string} mid
   * @returns {WhyPicture | undefined}
   */
  of(mid) {
    return mid ? this.answer?.received.find((picture) => picture.mid === mid) : undefined;
  }

  /**
   * Once a second, while there is a connection with the server.
   * @param {number} now milliseconds
   * @param {boolean} isOpen somebody looks at the figures
   * @param {Limits} limits of one's own encoders, as they are now
   */
  tick(now, isOpen, limits) {
    if (this.#since < 0) this.#since = now;
    this.#note();
    if (now - this.#since >= WARM_MS) this.#tell(now, limits);
    if (now - this.#askedAt < (isOpen ? ASK_OPEN_MS : ASK_MS)) return;
    if (this.#say({ type: 'sfu-why' })) this.#askedAt = now;
  }

  #note() {
    const { answer } = this;
    const bps = answer?.line?.estimate_bps;
    keep(this.estimates, bps === undefined ? null : bps / 1000);
    const present = new Set(answer?.received.map(({ mid }) => mid));
    for (const mid of this.heights.keys()) if (!present.has(mid)) this.heights.delete(mid);
    for (const { mid, on, given } of answer?.received ?? []) {
      const heights = this.heights.get(mid) ?? [];
      keep(heights, on ? given?.height ?? 0 : 0);
      this.heights.set(mid, heights);
    }
  }

  /**
   * @param {number} now
   * @param {Limits} limits
   */
  #tell(now, limits) {
    /** @type {Limits} */
    const news = {};
    for (const slot of /** @type {const} */ (['camera', 'screen'])) {
      const limit = limits[slot] ?? 'unknown';
      const seen = this.#seen[slot];
      if (seen.limit !== limit) this.#seen[slot] = { limit, since: now };
      else if (now - seen.since < SETTLED_MS) continue;
      else if (limit !== (this.#told[slot] ?? 'unknown')) news[slot] = limit;
    }
    if (Object.keys(news).length === 0 || now - this.#toldAt < TELL_MS) return;
    if (!this.#say({ type: 'sfu-quality', limits: news })) return;
    this.#toldAt = now;
    Object.assign(this.#told, news);
  }
}

/**
 * @template T
 * @param {T[]} history
 * @param {T} value
 */
function keep(history, value) {
  history.push(value);
  if (history.length > HISTORY_MAX) history.shift();
}

/**
 * The mobile app's STOMP: what stomp_dart_client with `StompConfig.SockJS` puts on the wire, byte
 * for byte. It never asks for /info, makes up the session's address, and says CONNECT as soon as
 * the WebSocket is open, before it has heard SockJS's `o`.
 *
 * It reads frames as that library does: a body without a content type is bytes, not text, so a text
 * that came without one is lost to the app.
 */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until } from '../lib/until.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz012345';
const BEAT_MS = 5000; // the library's default, each way

/** @param {number} end */
const below = (end) => Math.floor(Math.random() * end);

/** Three digits and eight letters. */
export function sessionPath() {
  const letters = Array.from({ length: 8 }, () => LETTERS[below(LETTERS.length)]).join('');
  return `${String(below(1000)).padStart(3, '0')}/${letters}`;
}

/**
 * @typedef {object} Frame
 * @property {string} command
 * @property {Record<string, string>} headers
 * @property {string | null} text null: the library would hand out bytes
 */

export class Mobile {
  /** What came, as it came. */
  raw = /** @type {string[]} */ ([]);
  frames = /** @type {Frame[]} */ ([]);
  /** The WebSocket's close code and SockJS's close frame. */
  closed = 0;
  #socket;
  #subscriptions = 0;
  #partial = Buffer.alloc(0);

  /**
   * @param {string} host
   * @param {string} [path] of the session
   */
  constructor(host, path = sessionPath()) {
    this.#socket = new WebSocket(`ws://${host}/signaling/${path}/websocket`);
    this.#socket.on('error', () => {}); // `close` follows
    this.#socket.on('close', (code) => {
      this.closed = code;
    });
    this.#socket.on('message', (data) => this.#hear(String(data)));
  }

  /**
   * @param {Record<string, string>} [headers]
   * @returns {Promise<Frame>} the server's answer
   */
  async connect(headers = {}) {
    const opened = once(this.#socket, 'open');
    // In the same turn in which the socket opens: nothing has been heard yet.
    this.#socket.once('open', () =>
      this.#say('CONNECT', {
        ...headers,
        'accept-version': '1.0,1.1,1.2',
        'heart-beat': `${BEAT_MS},${BEAT_MS}`,
      }),
    );
    await opened;
    return this.hears(({ command }) => command === 'CONNECTED' || command === 'ERROR');
  }

  /** @param {string} destination @returns {string} the subscription's id */
  subscribe(destination) {
    const id = `sub-${this.#subscriptions}`;
    this.#subscriptions += 1;
    this.#say('SUBSCRIBE', { destination, id });
    return id;
  }

  /**
   * @param {string} destination
   * @param {string} body
   */
  send(destination, body) {
    this.#say('SEND', { destination }, body);
  }

  /** What its heart-beat timer puts on the wire. */
  beat() {
    this.#socket.send('["\\n"]');
  }

  /** Ends as the app does: waits for the receipt, then closes the WebSocket. */
  async leave() {
    this.#say('DISCONNECT', { receipt: 'disconnect-0' });
    await this.hears(({ command }) => command === 'RECEIPT');
    this.close();
  }

  close() {
    this.#socket.close();
  }

  /** As when the phone loses its network. */
  vanish() {
    this.#socket.terminate();
  }

  /**
   * @param {(frame: Frame) => boolean} wanted
   * @returns {Promise<Frame>}
   */
  hears(wanted) {
    return until('a frame from the server', () => this.frames.find(wanted), {
      seen: () => this.raw,
    });
  }

  /**
   * @param {string} destination
   * @returns {Frame[]}
   */
  heardAt(destination) {
    return this.frames.filter(
      ({ command, headers }) => command === 'MESSAGE' && headers.destination === destination,
    );
  }

  /**
   * Header lines in the order in which the library has them, never escaped; a length only where
   * there is a body.
   * @param {string} command
   * @param {Record<string, string>} headers
   * @param {string} [body]
   */
  #say(command, headers, body = '') {
    const length = Buffer.byteLength(body);
    const all = length ? { ...headers, 'content-length': String(length) } : headers;
    const lines = Object.entries(all).map(([key, value]) => `\n${key}:${value}`);
    this.#socket.send(`[${JSON.stringify(`${command}${lines.join('')}\n\n${body}\0`)}]`);
  }

  /** @param {string} data a frame of SockJS */
  #hear(data) {
    this.raw.push(data);
    if (data[0] !== 'a') return;
    for (const text of JSON.parse(data.slice(1))) {
      this.#partial = Buffer.concat([this.#partial, Buffer.from(text)]);
    }
    while (this.#read());
  }

  /** Takes one frame from what came. */
  #read() {
    let bytes = this.#partial;
    while (bytes[0] === 10 || bytes[0] === 13 || bytes[0] === 0) bytes = bytes.subarray(1);
    this.#partial = bytes;
    const head = bytes.indexOf('\n\n');
    if (head < 0) return false;
    const [command, ...lines] = bytes.subarray(0, head).toString().split('\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    );
    const begin = head + 2;
    const length = headers['content-length'];
    const end = length === undefined ? bytes.indexOf(0, begin) : begin + Number(length);
    if (end < begin || end >= bytes.length) return false;
    const type = headers['content-type'];
    const isText = type !== undefined && type !== 'application/octet-stream';
    const text = isText ? bytes.subarray(begin, end).toString() : null;
    this.frames.push({ command, headers, text });
    this.#partial = bytes.subarray(end + 1);
    return true;
  }
}

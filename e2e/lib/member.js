/** A member without a page: it speaks the meeting protocol over a bare WebSocket. */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until } from './until.js';

export class Member {
  /** All that the server said. */
  heard = /** @type {any[]} */ ([]);
  #socket;

  /** @param {import('./server.js').Server} server */
  constructor(server) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${server.ports.http}/api/v1/meet`);
    this.#socket.on('error', () => {}); // `close` follows
    this.#socket.on('message', (data) => this.heard.push(JSON.parse(String(data))));
  }

  /**
   * @param {string} room
   * @param {string} name
   * @param {object} [more] of the message
   * @returns {Promise<any>} the server's answer: `welcome` or `error`
   */
  async join(room, name, more = {}) {
    if (this.#socket.readyState === WebSocket.CONNECTING) await once(this.#socket, 'open');
    const before = this.heard.length;
    this.say({ type: 'join', version: 1, room, name, ...more });
    return this.hears((message) => ['welcome', 'error'].includes(message.type), before);
  }

  /**
   * Offers a new connection with the server's SFU.
   * @param {string} sdp
   * @param {{ mid: string, source: string }[]} tracks
   * @returns {Promise<string>} the description that answers it
   */
  async offer(sdp, tracks) {
    const before = this.heard.length;
    this.say({ type: 'sfu-offer', new: true, sdp, tracks });
    const answer = await this.hears(
      ({ type }) => ['sfu-answer', 'error'].includes(type),
      before,
    );
    if (answer.type === 'error') throw new Error(`${JSON.stringify(answer)}\n${sdp}`);
    return answer.sdp;
  }

  /** @param {object} message */
  say(message) {
    this.#socket.send(JSON.stringify(message));
  }

  /**
   * @param {(message: any) => boolean} wanted
   * @param {number} [from] where to begin in what was heard
   */
  hears(wanted, from = 0) {
    return until('a message from the server', () => this.heard.slice(from).find(wanted), {
      seen: () => this.heard,
    });
  }

  close() {
    this.#socket.close(1000);
  }
}

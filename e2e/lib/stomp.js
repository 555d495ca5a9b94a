/** STOMP over whatever brings it: frames out as they are written, frames in as they were meant. */

import assert from 'node:assert/strict';

/** @typedef {{ command: string, headers: Record<string, string>, body: string }} Frame */

/**
 * A frame's text.
 * @param {string} command
 * @param {Record<string, string | number>} [headers] as they are to stand there, escapes and all
 * @param {string} [body]
 */
export function frame(command, headers = {}, body = '') {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  return `${command}\n${lines.join('')}\n${body}\0`;
}

/** @type {Record<string, string>} */
const ESCAPED = { '\\n': '\n', '\\r': '\r', '\\c': ':', '\\\\': '\\' };

export class Stomp {
  #text = '';
  version = '1.0';
  pipe;

  /** @param {{ send: (text: string) => unknown, next: () => Promise<string> }} pipe */
  constructor(pipe) {
    this.pipe = pipe;
  }

  /** @param {Parameters<typeof frame>} parts */
  say(...parts) {
    this.pipe.send(frame(...parts));
    return this;
  }

  /** @param {string} text */
  #unescape(text) {
    if (this.version === '1.0') return text;
    return text.replaceAll(/\\./g, (escape) => {
      assert.ok(escape in ESCAPED, `an escape that is none: ${escape}`);
      return ESCAPED[escape];
    });
  }

  /** The next frame; heart-beats are none. @returns {Promise<Frame>} */
  async next() {
    for (;;) {
      this.#text = this.#text.replace(/^[\r\n]+/, '');
      const head = this.#text.indexOf('\n\n');
      const frameSize = head < 0 ? -1 : this.#size(head);
      if (frameSize >= 0) return this.#take(head, frameSize);
      this.#text += await this.pipe.next();
    }
  }

  /** The size of the body behind a head; negative: it is not all there. @param {number} head */
  #size(head) {
    const [, length] = /\ncontent-length:(\d+)/.exec(this.#text.slice(0, head)) ?? [];
    if (length === undefined) return this.#text.indexOf('\0', head) - head - 2;
    const body = Buffer.from(this.#text.slice(head + 2));
    if (body.length <= Number(length)) return -1;
    assert.equal(body[Number(length)], 0, 'a frame ends where its content-length says');
    return body.subarray(0, Number(length)).toString().length;
  }

  /** @param {number} head @param {number} size @returns {Frame} */
  #take(head, size) {
    const [command, ...lines] = this.#text.slice(0, head).split('\n');
    const body = this.#text.slice(head + 2, head + 2 + size);
    this.#text = this.#text.slice(head + 2 + size + 1);
    /** @type {Record<string, string>} */
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      const pair = [line.slice(0, colon), line.slice(colon + 1)];
      const [name, value] = pair.map((text) =>
        command === 'CONNECTED' ? text : this.#unescape(text),
      );
      assert.ok(!(name in headers), `${name} stands there twice`);
      headers[name] = value;
    }
    return { command, headers, body };
  }

  /** @param {Record<string, string | number>} [headers] @param {string} [command] */
  async connect(headers = { 'accept-version': '1.0,1.1,1.2' }, command = 'CONNECT') {
    const connected = await this.say(command, headers).next();
    assert.equal(connected.command, 'CONNECTED', connected.headers.message);
    this.version = connected.headers.version ?? '1.0';
    return connected;
  }

  /** Subscribes, and knows that it has. @param {string} id @param {string} destination */
  async subscribe(id, destination, more = {}) {
    this.say('SUBSCRIBE', { id, destination, ...more, receipt: `for-${id}` });
    await this.isReceived(`for-${id}`);
  }

  /** @param {string} receipt */
  async isReceived(receipt) {
    const { command, headers } = await this.next();
    assert.equal(command, 'RECEIPT', headers.message);
    assert.equal(headers['receipt-id'], receipt);
  }

  /** The next frame is a message with this body. @param {string} body */
  async hears(body) {
    const message = await this.next();
    assert.equal(message.command, 'MESSAGE', message.headers.message);
    assert.equal(message.body, body);
    return message.headers;
  }

  /** The next frame is an error. */
  async fails() {
    const { command, headers } = await this.next();
    assert.equal(command, 'ERROR');
    assert.ok(headers.message, 'an error says what is wrong');
    return headers;
  }
}

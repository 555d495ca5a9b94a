/** A stranger at the server's door: bytes over TCP, requests, WebSockets, all as they are. */

import { once } from 'node:events';
import { connect } from 'node:net';
import WebSocket from 'ws';

/** One TCP connection, read at the pace of the test. */
export class Wire {
  #socket;
  #bytes = Buffer.alloc(0);
  #ended = false;
  #wake = () => {};

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** @param {number} port */
  static async open(port) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** @param {string | Buffer} bytes */
  send(bytes) {
    this.#socket.write(bytes);
    return this;
  }

  /** Goes without a word, as a client does that loses its network. */
  drop() {
    this.#socket.destroy();
  }

  /** @param {() => number} end of what is to be taken; negative: not there yet */
  async #take(end) {
    while (end() < 0) {
      if (this.#ended) throw new Error(`the server hung up behind ${show(this.#bytes)}`);
      await new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
      });
    }
    const size = end();
    const taken = this.#bytes.subarray(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return taken;
  }

  /** @param {number} size */
  async bytes(size) {
    return this.#take(() => (this.#bytes.length >= size ? size : -1));
  }

  /** @param {string} mark the end, which belongs to it */
  async through(mark) {
    const at = () => this.#bytes.indexOf(mark);
    return (await this.#take(() => (at() < 0 ? -1 : at() + mark.length))).toString();
  }

  /** All that comes until the server hangs up. */
  async rest() {
    return (await this.#take(() => (this.#ended ? this.#bytes.length : -1))).toString();
  }

  /** The head of an answer; header names in lower case. */
  async head() {
    const [first, ...lines] = (await this.through('\r\n\r\n')).trimEnd().split('\r\n');
    const [, version, status] = /^HTTP\/(\S+) (\d+)/.exec(first) ?? [];
    const headers = lines.map((line) => line.split(/:\s*(.*)/s, 2));
    return {
      version,
      status: Number(status),
      headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    };
  }

  /** One chunk of a body in chunks: "" is its end. */
  async chunk() {
    const size = parseInt(await this.through('\r\n'), 16);
    return (await this.bytes(size + 2)).subarray(0, size).toString();
  }

  /** @param {Awaited<ReturnType<Wire['head']>>} head */
  async body({ status, headers }) {
    if (status === 101 || status === 204 || status === 304) return '';
    if (headers['content-length']) return String(await this.bytes(+headers['content-length']));
    if (headers['transfer-encoding'] !== 'chunked') return this.rest();
    let body = '';
    for (let part = await this.chunk(); part; part = await this.chunk()) body += part;
    return body;
  }
}

/** @param {Buffer} bytes */
const show = (bytes) => JSON.stringify(bytes.toString().slice(-200));

/**
 * @typedef {{ headers?: Record<string, string>, body?: string, http?: string }} Asked
 */

/**
 * A request as it stands on the wire, and nothing that a library would add.
 * @param {string} method
 * @param {string} where
 * @param {Asked} [asked]
 */
export function requestText(method, where, { headers = {}, body, http = '1.1' } = {}) {
  const sized = body !== undefined || method === 'POST';
  const all = {
    Host: 'localhost',
    ...(sized ? { 'Content-Length': String(Buffer.byteLength(body ?? '')) } : {}),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${where} HTTP/${http}\r\n${lines.join('')}\r\n${body ?? ''}`;
}

/** A WebSocket whose messages wait until they are asked for. */
export class Peer {
  /** @type {(string | Buffer)[]} */
  #messages = [];
  #wake = () => {};
  /** @type {{ code: number, reason: string, status: number } | null} */
  #end = null;
  socket;

  /**
   * @param {string} url
   * @param {string[]} [protocols]
   * @param {import('ws').ClientOptions} [options]
   */
  constructor(url, protocols = [], options = {}) {
    let status = 101;
    this.socket = new WebSocket(url, protocols, options);
    this.socket.on('message', (data, isBinary) => {
      this.#messages.push(isBinary ? /** @type {Buffer} */ (data) : String(data));
      this.#wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('unexpected-response', (_, response) => {
      status = response.statusCode ?? 0;
      this.socket.terminate();
    });
    this.socket.on('close', (code, reason) => {
      this.#end = { code, reason: String(reason), status };
      this.#wake();
    });
  }

  /** @param {ConstructorParameters<typeof Peer>} args */
  static async open(...args) {
    const peer = new Peer(...args);
    await once(peer.socket, 'open');
    return peer;
  }

  async #something() {
    while (!this.#messages.length && !this.#end) {
      await new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
      });
    }
  }

  /** The next message: text as a string, bytes as a Buffer. */
  async next() {
    await this.#something();
    const message = this.#messages.shift();
    if (message === undefined) throw new Error(`closed: ${JSON.stringify(this.#end)}`);
    return message;
  }

  /** The end, whatever messages come before; `status`: of a handshake that was refused. */
  async closed() {
    while (!this.#end) {
      await this.#something();
      this.#messages = [];
    }
    return this.#end;
  }

  /** @param {string | Buffer | Uint8Array} message */
  send(message) {
    this.socket.send(message);
    return this;
  }

  close() {
    this.socket.close();
  }
}

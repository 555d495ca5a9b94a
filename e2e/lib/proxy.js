/** A cable between a page and the server that can be pulled out and put back. */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Cable {
  #target;
  #port = 0;
  /** @type {import('node:net').Server | null} */
  #server = null;
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();

  /** @param {number} target the server's port on the loopback address */
  constructor(target) {
    this.#target = target;
  }

  get url() {
    return `http://localhost:${this.#port}`;
  }

  /** Connections pass from now on, always through the same port. */
  async plug() {
    this.#server = createServer((near) => this.#join(near, connect(this.#target, '127.0.0.1')));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    this.#port = port;
  }

  /** Everything breaks at once, and what comes is refused. */
  async pull() {
    const server = this.#server;
    this.#server = null;
    server?.close();
    for (const socket of this.#sockets) socket.destroy();
    if (server) await once(server, 'close');
  }

  /**
   * @param {import('node:net').Socket} near
   * @param {import('node:net').Socket} far
   */
  #join(near, far) {
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.pipe(other);
      socket.on('error', () => {}); // `close` follows, and that is what counts
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

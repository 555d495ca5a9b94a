/** The server as test suites of the protocols expect one: examples/conformance.yaml. */

import path from 'node:path';
import { after, before, test } from 'node:test';
import { Program } from './program.js';
import { ROOT } from './server.js';
import { Peer, requestText, Wire } from './wire.js';

/** What a test may last: a verdict on a server that hangs. */
const LIMIT_MS = 30_000;
const TRIES = 3;

export class Service {
  /** @type {Program | undefined} */
  #program;
  port = 0;

  /** @param {string[]} args */
  async start(args) {
    this.#program = await Program.serve(args);
    this.port = this.#program.port('http');
  }

  async stop() {
    this.#program?.kill('SIGTERM');
    const code = await this.#program?.ended();
    const { output = '' } = this.#program ?? {};
    await this.#program?.close();
    if (code !== 0) throw new Error(`the server ended with ${code}\n${output}`);
  }

  /** @param {string} where */
  url(where) {
    return `http://127.0.0.1:${this.port}${where}`;
  }

  /**
   * A request, and the head of its answer; the body is read from `wire`.
   * @param {string} method
   * @param {string} where
   * @param {import('./wire.js').Asked} [asked]
   */
  async begin(method, where, asked) {
    const wire = await Wire.open(this.port);
    wire.send(requestText(method, where, asked));
    return { wire, ...(await wire.head()) };
  }

  /**
   * A request and the whole of its answer, on a connection of its own.
   * @param {string} method
   * @param {string} where
   * @param {import('./wire.js').Asked} [asked]
   */
  async ask(method, where, asked) {
    const { wire, ...head } = await this.begin(method, where, asked);
    const body = await wire.body(head);
    wire.drop();
    return { ...head, body };
  }

  /**
   * @param {string} where
   * @param {string[]} [protocols]
   * @param {import('ws').ClientOptions} [options]
   */
  async socket(where, protocols, options) {
    return Peer.open(this.url(where).replace('http', 'ws'), protocols, options);
  }

  /**
   * One that may be refused.
   * @param {string} where
   */
  peer(where) {
    return new Peer(this.url(where).replace('http', 'ws'));
  }
}

/** A server for all tests of a file. */
export function conformance() {
  return serve(['--config', path.join(ROOT, 'examples/conformance.yaml')]);
}

/** @param {string[]} args */
export function serve(args = []) {
  const service = new Service();
  before(() => service.start(args));
  after(() => service.stop());
  return service;
}

/**
 * One about sessions that live for half a second of silence: a machine that is busy elsewhere may
 * miss that, so what failed is looked at again.
 * @param {string} name
 * @param {() => Promise<void>} run
 */
export function briefFact(name, run) {
  fact(name, async () => {
    for (let tried = 1; ; tried += 1) {
      try {
        await run();
        return;
      } catch (error) {
        if (tried === TRIES) throw error;
      }
    }
  });
}

/**
 * @param {string} name
 * @param {() => Promise<void>} run
 */
export function fact(name, run) {
  test(name, { timeout: LIMIT_MS }, run);
}

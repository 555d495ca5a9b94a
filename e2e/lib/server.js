/**
 * The real server as a process of its own: two workers, loopback addresses, a temporary folder.
 * `E2E_SERVER` names another program than build/moim (a build with sanitizers, for instance).
 */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LIMIT_MS, until } from './until.js';

const run = promisify(execFile);
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const PROGRAM = path.resolve(ROOT, process.env.E2E_SERVER || 'build/moim');
const STOP_MS = LIMIT_MS; // for one that hangs
const TRIES = 5;

/** Asks for a path in a place where this process is not: status and text, on lines. */
const ASK = `
  const [port, path] = process.argv.slice(1);
  require('node:http').get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
    process.stdout.write(response.statusCode + '\\n');
    response.pipe(process.stdout);
  });`;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A port of the loopback address that nobody has: for TCP, or for TCP and UDP. */
export async function freePort(udp = false) {
  for (;;) {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const free = !udp || (await udpIsFree(port));
    server.close();
    await once(server, 'close');
    if (free) return port;
  }
}

/** @param {number} port */
async function udpIsFree(port) {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** @typedef {Record<string, string>} Wishes settings, and `config`: a file of them */
/** @typedef {{ http: number, https: number, stun: number }} Ports */

export class Server {
  /** What it printed, for the record of a failure. */
  log = '';
  ports = { http: 0, https: 0, stun: 0 };
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  #folder = '';
  /** @type {Wishes | ((ports: Ports) => Wishes)} */
  #wishes = {};
  /** @type {string[]} */
  #within = [];

  /**
   * Starts one on ports that are free.
   * @param {Wishes | ((ports: Ports) => Wishes)} [wishes] settings that are not as usual
   * @param {string[]} [within] the words of a command that runs another, in another place
   */
  static async start(wishes = {}, within = []) {
    const server = new Server();
    server.#wishes = wishes;
    server.#within = within;
    server.#folder = await mkdtemp(path.join(tmpdir(), 'moim-e2e-'));
    for (let tried = 1; ; tried += 1) {
      server.ports = {
        http: await freePort(),
        https: await freePort(),
        stun: await freePort(true),
      };
      try {
        await server.start();
        return server;
      } catch (error) {
        // Somebody may have taken a port between the look and the start.
        if (tried === TRIES) {
          await server.#tidy();
          throw error;
        }
      }
    }
  }

  /** Starts it, or starts it again after `stop`, on the same ports and with the same folder. */
  async start() {
    const { http, https, stun } = this.ports;
    const settings = {
      'http.listen': `127.0.0.1:${http}`,
      'https.listen': `127.0.0.1:${https}`,
      'turn.listen': `127.0.0.1:${stun}`,
      'turn.tls_listen': '',
      'rtc.port': 0,
      'state.dir': path.join(this.#folder, 'state'),
      workers: 2,
      ...(typeof this.#wishes === 'function' ? this.#wishes(this.ports) : this.#wishes),
    };
    const { config, ...keys } = /** @type {Wishes} */ (settings);
    const args = Object.entries(keys).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    if (config) args.push('--config', config);
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('MOIM_')),
    );
    const [program, ...words] = [...this.#within, PROGRAM, ...args];
    const child = spawn(program, words, {
      cwd: this.#folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    let failure = '';
    child.once('error', (error) => {
      failure = String(error);
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.log += text;
      });
    }
    await until(
      'the server to answer',
      async () => {
        if (failure || child.exitCode !== null || child.signalCode !== null) return true;
        return (await this.get('/healthz')).status === 200;
      },
      { seen: () => this.log },
    );
    if (failure || child.exitCode !== null || child.signalCode !== null) {
      this.#child = null;
      running.delete(child);
      throw new Error(`the server did not start (${failure || child.exitCode})\n${this.log}`);
    }
  }

  get url() {
    return `http://localhost:${this.ports.http}`;
  }

  /**
   * @param {string} where a path
   * @returns {Promise<{ status: number, text: string }>}
   */
  async get(where) {
    if (this.#within.length) {
      const [node, ...words] = [...this.#within, process.execPath, '-e', ASK];
      const { stdout } = await run(node, [...words, '--', String(this.ports.http), where]);
      const status = stdout.split('\n', 1)[0];
      return { status: Number(status), text: stdout.slice(status.length + 1) };
    }
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port: this.ports.http, path: where, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      }).on('error', reject);
    });
  }

  /** @param {string} name of a number that /metrics tells, with its labels */
  async metric(name) {
    const { text } = await this.get('/metrics');
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    assert.ok(line, `/metrics has no ${name}:\n${text}`);
    return Number(line.slice(name.length));
  }

  /** Asks it to end, and holds it to its promise: by itself, with nothing gone wrong. */
  async stop() {
    const child = this.#child;
    this.#child = null;
    if (!child) return;
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const ended =
      child.exitCode !== null || child.signalCode !== null
        ? Promise.resolve()
        : once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    clearTimeout(late);
    assert.deepEqual(
      { code: child.exitCode, signal: child.signalCode },
      { code: 0, signal: null },
      `the server must end by itself at SIGTERM\n${this.log}`,
    );
  }

  /** The end of the test: stops it if it runs, and takes its folder away. */
  async close() {
    try {
      await this.stop();
    } finally {
      await this.#tidy();
    }
  }

  async #tidy() {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

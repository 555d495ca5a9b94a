/** The program as somebody starts it in a shell: arguments in, lines and an exit code out. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from './server.js';
import { until } from './until.js';

export const PROGRAM = path.resolve(ROOT, process.env.E2E_SERVER || 'build/moim');

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Program {
  folder = mkdtempSync(path.join(tmpdir(), 'moim-program-'));
  output = '';
  /** @type {import('node:child_process').ChildProcess} */
  child;

  /**
   * @param {string[]} args
   * @param {{ openFiles?: number, environment?: Record<string, string> }} [options]
   */
  constructor(args, { openFiles, environment = {} } = {}) {
    const limit = openFiles ? `ulimit -n ${openFiles};` : '';
    this.child = spawn('bash', ['-c', `${limit} exec "$0" "$@"`, PROGRAM, ...args], {
      cwd: this.folder,
      env: { PATH: process.env.PATH ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.child);
    this.child.once('exit', () => running.delete(this.child));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
  }

  /**
   * Serves on ports of the system's choice, and has said which.
   * @param {string[]} [args]
   * @param {{ openFiles?: number, environment?: Record<string, string> }} [options]
   */
  static async serve(args = [], options = {}) {
    const any = ['http', 'https', 'turn'].flatMap((name) => [
      '--set',
      `${name}.listen=127.0.0.1:0`,
    ]);
    const more = ['--set', 'rtc.port=0', '--set', 'log.format=json'];
    const program = new Program([...any, ...more, ...args], options);
    await until('the addresses', () => program.port('https'), { seen: () => program.output });
    return program;
  }

  /** The lines of its log, as objects. */
  get lines() {
    const whole = this.output.slice(0, this.output.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** @param {string} event @returns {Record<string, unknown>[]} */
  events(event) {
    return this.lines.filter((line) => line.event === event);
  }

  /** @param {'http' | 'https'} scheme */
  port(scheme) {
    const urls = this.events('server.listening').map(({ url }) => new URL(String(url)));
    return Number(urls.find(({ protocol }) => protocol === `${scheme}:`)?.port ?? 0);
  }

  /** @param {NodeJS.Signals} signal */
  kill(signal) {
    this.child.kill(signal);
  }

  /** Its exit code, once it has ended. */
  async ended() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'exit');
    }
    if (this.child.stdout && !this.child.stdout.readableEnded) await once(this.child.stdout, 'end');
    if (this.child.stderr && !this.child.stderr.readableEnded) await once(this.child.stderr, 'end');
    return this.child.exitCode;
  }

  async close() {
    this.kill('SIGKILL');
    await this.ended();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

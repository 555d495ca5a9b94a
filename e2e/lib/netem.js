/**
 * A bad line between pages and the server's media port: `netem_proxy`, a program of the build with
 * tests, which is given scripts (sim/netem/script.h) and orders. Each connection has a line of its
 * own in each direction.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './server.js';

const SERVER = path.resolve(ROOT, process.env.E2E_SERVER || 'build/moim');
const PROGRAM = path.join(path.dirname(SERVER), 'sim/netem/netem_proxy');

/** Why there can be none here; null: there can. */
export const whyNoNetem = existsSync(PROGRAM)
  ? null
  : 'needs netem_proxy, of a build with -Dtests=true';

/** @typedef {{ sent: number, arrived: number, lost: number, overflowed: number }} Counts */

/**
 * Runs in the page, before it: whatever the other end says where it can be reached, it is the
 * line's end that is taken, and nothing else.
 * @param {{ address: string, port: number }} end
 */
function goThrough({ address, port }) {
  const { prototype } = RTCPeerConnection;
  const set = prototype.setRemoteDescription;
  prototype.setRemoteDescription = function setRemoteDescription(description) {
    const candidate = `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host`;
    const sdp = description?.sdp
      ?.replaceAll(/^a=candidate:.* udp .*$/gim, candidate)
      .replaceAll(/^a=candidate:.* tcp .*\r\n/gim, '');
    return set.call(this, sdp ? { type: description.type, sdp } : description);
  };
}

export class BadLine {
  /** @type {{ resolve: (line: string) => void, reject: (error: Error) => void }[]} */
  #waiting = [];
  #end = { address: '', port: 0 };

  /** @param {import('node:child_process').ChildProcessWithoutNullStreams} child */
  constructor(child) {
    this.child = child;
    createInterface(child.stdout).on('line', (line) => this.#waiting.shift()?.resolve(line));
    child.once('exit', () => {
      for (const { reject } of this.#waiting) reject(new Error('netem_proxy is gone'));
    });
    child.stderr.pipe(process.stderr);
  }

  /**
   * @param {number} port of the server, at the loopback address
   * @param {{ up?: string, down?: string }} [scripts] seen from the pages
   */
  static async start(port, { up = '', down = '' } = {}) {
    const words = ['--to', `127.0.0.1:${port}`, '--up', up, '--down', down];
    const line = new BadLine(spawn(PROGRAM, words));
    const [, address, own] = (await line.#next()).match(/^listening (.*):(\d+)$/) ?? [];
    assert.ok(own, 'netem_proxy listens');
    line.#end = { address, port: Number(own) };
    return line;
  }

  /** @returns {Promise<string>} */
  #next() {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** @param {string} order */
  async #order(order) {
    const answer = this.#next();
    this.child.stdin.write(`${order}\n`);
    return answer;
  }

  /** @param {'up' | 'down'} way @param {string} script whose times count from now */
  async be(way, script) {
    assert.equal(await this.#order(`${way} ${script}`), 'ok', script);
  }

  /** @returns {Promise<{ refused: number, clients: { up: Counts, down: Counts }[] }>} */
  async counts() {
    return JSON.parse(await this.#order('counts'));
  }

  /** All connections of that page go through it. @param {any} page of Playwright */
  carry(page) {
    return page.addInitScript(goThrough, this.#end);
  }

  async close() {
    const gone = once(this.child, 'exit');
    this.child.stdin.end();
    await gone;
  }
}

/**
 * A stack in a process of its own: of another language, or one that crashes or hangs when it is to
 * end. The process is killed at the end, and how it ended says nothing. It speaks JSON, one message
 * a line: what it says on its standard output is
 *
 *     { type: 'offer', sdp, tracks }   once, as it is handed to the server
 *     { type: 'seen', ... }            what has come so far, again and again
 *
 * and what it hears on its standard input is { type: 'answer', sdp }. Its end it hears, too, so
 * that it doesn't outlive a test that was killed.
 */

import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './server.js';
import { until } from './until.js';

const LOG_MAX = 20_000; // characters, of what a stack says to nobody

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/**
 * @param {string} command
 * @param {string} file in e2e/stacks/
 * @param {string[]} [words]
 * @returns {import('./stack.js').Connect}
 */
export function apart(command, file, words = []) {
  return async (member) => {
    const program = path.join(ROOT, 'e2e/stacks', file);
    const child = spawn(command, [program, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(child);
    let gone = '';
    let log = '';
    let offer;
    let seen = { audio: 0, video: 0, channels: 0, words: 0 };
    child.once('error', (error) => {
      gone = String(error);
    });
    child.once('exit', (code, signal) => {
      running.delete(child);
      gone = `it ended: ${code ?? signal}`;
    });
    child.stdin.on('error', () => {}); // it has ended, which `gone` tells
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-LOG_MAX);
    });
    createInterface(child.stdout).on('line', (line) => {
      if (!line.startsWith('{')) return; // some libraries print there
      const { type, ...message } = JSON.parse(line);
      if (type === 'offer') offer = message;
      else if (type === 'seen') seen = message;
    });
    const close = () => child.kill('SIGKILL');
    try {
      await until('the offer of the stack', () => offer || gone, { seen: () => gone + log });
      if (!offer) throw new Error(`no offer: ${gone}\n${log}`);
      const sdp = await member.offer(offer.sdp, offer.tracks);
      child.stdin.write(`${JSON.stringify({ type: 'answer', sdp })}\n`);
    } catch (error) {
      close();
      throw error;
    }
    // an early end is told by what has not come, and why
    return { look: () => (gone ? { ...seen, gone, log } : seen), close };
  };
}

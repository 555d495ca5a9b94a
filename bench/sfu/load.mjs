// The load (load.h has its lines), as one object of JavaScript.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// A program of this repository, where it was built.
export const built = (path) =>
  new URL(`../../${process.env.BUILD ?? 'build-bench'}/${path}`, import.meta.url).pathname;

// Waits for a process that has been told to end; it is to end well.
export async function ended(process, name) {
  if (process.exitCode === null && process.signalCode === null)
    await new Promise((resolve) => process.once('exit', resolve));
  if (process.exitCode !== 0) throw new Error(`${name}: ended by ${process.exitCode}`);
}

const encode = (sdp) => Buffer.from(sdp).toString('base64url');
const decode = (text) => Buffer.from(text, 'base64url').toString();

export class Load {
  #process;
  #waiting = new Map(); // what a line begins with, to those who wait for such a one
  #connected = new Set();

  constructor(program, settings) {
    const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    this.#process = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#hear(line));
    this.#process.stdin.on('error', () => {}); // that it has ended is told
    this.#process.on('exit', () => this.#fail(new Error('the load has ended')));
  }

  #hear(line) {
    const [kind, name, ...rest] = line.split(' ');
    if (kind === 'connected') this.#connected.add(name);
    if (kind === 'error' || kind === 'ended') {
      this.#fail(new Error(`load: ${line}`));
      return;
    }
    const key = ['result', 'state'].includes(kind) ? kind : `${kind} ${name}`;
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.resolve(kind === key ? line.slice(kind.length + 1) : rest.join(' '));
  }

  #fail(error) {
    if (this.isOver) return;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.failure ??= error;
  }

  say(line) {
    if (this.failure) throw this.failure;
    this.#process.stdin.write(`${line}\n`);
  }

  #wait(key) {
    return new Promise((resolve, reject) => this.#waiting.set(key, { resolve, reject }));
  }

  // An offer of what the client sends, and of sections more to receive.
  async offer(name, audio = 0, video = 0) {
    this.say(`offer ${name} ${audio} ${video}`);
    return decode(await this.#wait(`offer ${name}`));
  }

  take(name, answer) {
    this.say(`take ${name} ${encode(answer)}`);
  }

  async answer(name, offer) {
    this.say(`answer ${name} ${encode(offer)}`);
    return decode(await this.#wait(`answer ${name}`));
  }

  async connected(name) {
    if (!this.#connected.has(name)) await this.#wait(`connected ${name}`);
  }

  async #values(line, key) {
    this.say(line);
    const words = (await this.#wait(key)).split(' ').map((word) => word.split('='));
    return Object.fromEntries(words.map(([name, value]) => [name, Number(value)]));
  }

  state() {
    return this.#values('state', 'state');
  }

  measure(seconds) {
    return this.#values(`measure ${seconds}`, 'result');
  }

  async stop() {
    this.isOver = true;
    this.#process.stdin.end('quit\n');
    await ended(this.#process, 'the load');
  }
}

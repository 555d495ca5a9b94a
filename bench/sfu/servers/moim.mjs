// moim: members of one room, by the meeting protocol (docs/PROTOCOL.md).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { built, ended } from '../load.mjs';

const PORT = 18080;

const configuration = (folder) => `
workers: 1
http: {listen: ["127.0.0.1:${PORT}"]}
https: {listen: []}
turn: {listen: [], tls_listen: []}
rooms: {topology: sfu, members: ${process.env.MEMBERS ?? 100}}
state: {dir: ${folder}/state}
log: {level: error}
`;

class Member {
  #socket;
  #waiting = null; // for the one answer that may be under way

  async join(name, sends) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${PORT}/api/v1/meet`, {
      perMessageDeflate: false,
    });
    await new Promise((resolve, reject) => {
      this.#socket.once('open', resolve);
      this.#socket.once('error', reject);
    });
    this.#socket.on('message', (text) => this.#hear(JSON.parse(text)));
    const video = sends.includes('video');
    const audio = sends.includes('audio');
    const topologies = ['sfu'];
    await this.#ask({ type: 'join', version: 1, room: 'bench', name, audio, video, topologies });
  }

  #hear(message) {
    if (!['welcome', 'sfu-answer', 'error', 'sfu-closed'].includes(message.type)) return;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (['welcome', 'sfu-answer'].includes(message.type)) waiting?.resolve(message);
    else waiting?.reject(new Error(`moim: ${JSON.stringify(message)}`));
  }

  #ask(message) {
    this.#socket.send(JSON.stringify(message));
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  async offer(sdp, tracks, isNew) {
    const answer = await this.#ask({ type: 'sfu-offer', new: isNew, sdp, tracks });
    return answer.sdp;
  }

  close() {
    this.#socket.close();
  }
}

const SOURCES = { audio: 'microphone', video: 'camera' };

export async function start({ kinds }) {
  const folder = mkdtempSync(join(tmpdir(), 'moim-'));
  writeFileSync(join(folder, 'moim.yaml'), configuration(folder));
  const server = spawn(built('moim'), ['--config', join(folder, 'moim.yaml')], {
    stdio: ['ignore', process.env.DEBUG ? 'inherit' : 'ignore', 'inherit'],
  });
  const members = new Map();

  async function open(name, sends) {
    const member = new Member();
    for (let tries = 0; ; tries++) {
      try {
        await member.join(name, sends);
        break;
      } catch (error) {
        if (tries === 100 || error.code !== 'ECONNREFUSED') throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    members.set(name, member);
    return member;
  }

  // The sections of a client's offer begin with those of its tracks, in the order of `kinds`.
  const tracksOf = (sends) => sends.map((kind, i) => ({ mid: String(i), source: SOURCES[kind] }));

  return {
    pids: [server.pid],

    async publish(load, name, sends) {
      load.say(`publish ${name} ${sends.join(' ')}`);
      const member = await open(name, sends);
      member.sends = sends;
      const offer = await load.offer(name);
      load.take(name, await member.offer(offer, tracksOf(sends), true));
      await load.connected(name);
    },

    async watch(load, name, publishers) {
      const isNew = !members.has(name);
      const member = members.get(name) ?? (await open(name, []));
      const count = (kind) => (kinds.includes(kind) ? publishers.length : 0);
      const offer = await load.offer(name, count('audio'), count('video'));
      load.take(name, await member.offer(offer, tracksOf(member.sends ?? []), isNew));
      await load.connected(name);
    },

    async stop() {
      for (const member of members.values()) member.close();
      server.kill('SIGTERM');
      await ended(server, 'moim');
      rmSync(folder, { recursive: true });
    },
  };
}

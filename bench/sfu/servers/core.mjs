// moim's media without the server around it (core.c): what moim costs more than this is the
// server's.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { built, ended } from '../load.mjs';


export async function start({ kinds }) {
  const server = spawn(built('bench/sfu/bench_sfu_core'), ['10.77.0.1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map();
  createInterface({ input: server.stdout }).on('line', (line) => {
    const [, name, answer] = line.split(' ');
    waiting.get(name)(Buffer.from(answer, 'base64url').toString());
    waiting.delete(name);
  });

  function say(kind, name, offer, others = []) {
    const sdp = Buffer.from(offer).toString('base64url');
    server.stdin.write(`${[kind, name, sdp, ...others].join(' ')}\n`);
    return new Promise((resolve) => waiting.set(name, resolve));
  }

  return {
    pids: [server.pid],

    async publish(load, name, sends) {
      load.say(`publish ${name} ${sends.join(' ')}`);
      load.take(name, await say('publish', name, await load.offer(name)));
      await load.connected(name);
    },

    async watch(load, name, publishers) {
      const count = (kind) => (kinds.includes(kind) ? publishers.length : 0);
      const offer = await load.offer(name, count('audio'), count('video'));
      load.take(name, await say('watch', name, offer, publishers));
      await load.connected(name);
    },

    async stop() {
      server.stdin.end();
      await ended(server, 'core');
    },
  };
}

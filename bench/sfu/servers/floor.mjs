// The floor (floor.c): headers rewritten, payloads encrypted, packets sent, and nothing else.  Its
// clients have their keys without a handshake.  It has the shape `one` alone.
import { spawn } from 'node:child_process';
import { built } from '../load.mjs';

const PROFILES = { cm: 1, gcm: 7, gcm256: 8 }; // RFC 5764, section 4.1.2; RFC 7714, section 14.2

export async function start({ load, count, settings }) {
  const profile = PROFILES[settings.profile ?? 'gcm'];
  const { fps = 30, packets = 4, size = 1020, group = 4 } = settings;
  for (let i = 0; i < count; i++) load.say(`plain m${i} ${profile}`);
  const { port } = await load.state();
  const words = [port, count, profile, fps, packets, size, group].map(String);
  const server = spawn(built('bench/sfu/bench_sfu_floor'), words, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    pids: [server.pid],
    isFloor: true,
    async publish() {},
    async watch() {},
    async stop() {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await gone;
    },
  };
}

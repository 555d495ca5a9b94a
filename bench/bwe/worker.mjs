// What mediasoup's worker itself says of a line, over real sockets: whether bench_bwe, where its
// estimator is driven in virtual time, tells the truth of it.
//
//     bench/sfu/network node bench/bwe/worker.mjs [RUNS]
//
// The course is that of `bench_bwe fixed`: a camera of 1.5 Mbit/s that goes by nothing, on 3, 1 and
// 3 Mbit/s. Each run prints the mean of what is estimated in each five seconds of it, in kbit/s.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { Load, built } from '../sfu/load.mjs';
import { start } from '../sfu/servers/mediasoup.mjs';

const runs = Number(process.argv[2] ?? 3);
const END = { address: '10.77.0.1', port: 41000 }; // the line's, in front of the server's
const DELAY = 'delay 25ms';
const COURSE = 'at 0s rate 3M queue 62500B;at 20s rate 1M;at 40s rate 3M';
const SECONDS = 60;
const EACH = 5;
// 30 frames a second of 5 packets: 1.5 Mbit/s as they are sent
const CAMERA = { fps: 30, packets: 5, keys: 20, size: 1200, group: 5, nack: 0 };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function beginLine() {
  const listen = `${END.address}:${END.port}`;
  const words = ['--to', `${END.address}:40000`, '--listen', listen, '--up', `at 0s ${DELAY}`];
  const line = spawn(built('sim/netem/netem_proxy'), [...words, '--down', `at 0s ${DELAY}`]);
  line.stderr.pipe(process.stderr);
  await once(createInterface({ input: line.stdout }), 'line');
  return line;
}

// Whatever the server says where it is, who watches goes through the line.
const behindLine = (load) => ({
  answer: (name, sdp) =>
    load.answer(name, sdp.replaceAll(/^(a=candidate:.*) 40000 typ/gm, `$1 ${END.port} typ`)),
  connected: (name) => load.connected(name),
});

async function run() {
  const line = await beginLine();
  const load = new Load(built('bench/sfu/bench_sfu_load'), CAMERA);
  const service = await start({ settings: {} });
  try {
    await service.publish(load, 'p', ['video']);
    await sleep(1000);
    line.stdin.write(`down ${COURSE}\n`);
    await service.watch(behindLine(load), 'w', ['p']);
    const began = performance.now();
    const sums = Array.from({ length: SECONDS / EACH }, () => ({ sum: 0, count: 0 }));
    for (let at = 0; at < SECONDS; at = (performance.now() - began) / 1000) {
      const part = sums[Math.floor(at / EACH)];
      part.sum += await service.estimate('w');
      part.count++;
      await sleep(100);
    }
    return sums.map(({ sum, count }) => Math.round(sum / count / 1000));
  } finally {
    await load.stop();
    await service.stop();
    line.stdin.end();
    await once(line, 'exit');
  }
}

try {
  setPriority(-10);
} catch {
  // no root
}
for (let i = 0; i < runs; i++) console.log((await run()).join(' '));

// One measurement: a server is started, members join, and the load says what that cost.
//
//     node bench/sfu/measure.mjs SERVER SHAPE MEMBERS [SECONDS [KEY=VALUE ...]]
//
// SERVER is a file of servers/; SHAPE is `one` (a publisher and so many who watch) or `all` (so
// many, each of whom publishes, and watches all others).  What is behind that goes to the load:
// load.c has the settings.  KINDS (video) says what is published: "audio video"; BUILD
// (build-bench) where programs are built.  Prints one line.
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { Load, built } from './load.mjs';

const [server, shape, count, seconds = '5', ...words] = process.argv.slice(2);
const settings = Object.fromEntries(words.map((word) => word.split('=')));
const kinds = (process.env.KINDS ?? 'video').split(' ');
const AT_ONCE = Number(process.env.AT_ONCE ?? 10); // who join

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function inGroups(items, run) {
  for (let i = 0; i < items.length; i += AT_ONCE)
    await Promise.all(items.slice(i, i + AT_ONCE).map(run));
}

// Until all see a picture.
async function settled(load, streams, keys) {
  for (let tries = 0; ; tries++) {
    const state = await load.state();
    if (state.streams >= streams && state.keys >= keys) return;
    if (tries === 200) throw new Error(`${server}: not all are seen: ${JSON.stringify(state)}`);
    await sleep(50);
  }
}

async function run(service, load) {
  const members = Array.from({ length: Number(count) }, (_, i) => `m${i}`);
  const perPublisher = kinds.length;
  const isAll = shape === 'all';
  const publishers = isAll ? members : ['p'];
  const each = isAll ? members.length - 1 : 1;
  if (service.pids) load.say(`server ${service.pids.join(' ')}`);
  if (!isAll) await service.publish(load, 'p', kinds);
  await sleep(1000);
  load.say('mark');
  const { sent_keys: before } = await load.state();
  const began = performance.now();
  if (isAll) await inGroups(members, (name) => service.publish(load, name, kinds));
  await inGroups(members, (name) =>
    service.watch(load, name, publishers.filter((publisher) => publisher !== name)));
  const streams = members.length * each * perPublisher;
  const pictures = kinds.includes('video') ? members.length * each : 0;
  if (service.isFloor) await settled(load, members.length, 0);
  else await settled(load, streams, pictures);
  const joining_s = ((performance.now() - began) / 1000).toFixed(2);
  const { sent_keys: after } = await load.state();
  await sleep(1500);
  const result = await load.measure(Number(seconds));
  return { ...result, joining_s, joining_keys: after - before };
}

try {
  // the load's too, and the server's: who else is on this machine is not to be in delays
  setPriority(-10);
  writeFileSync('/proc/self/autogroup', '-10');
} catch {
  // no root, or no groups: then it may be
}
const { start } = await import(`./servers/${server}.mjs`);
const load = new Load(built('bench/sfu/bench_sfu_load'), settings);
let service;
let line;
try {
  service = await start({ settings, kinds, shape, count: Number(count), load });
  const result = await run(service, load);
  const pairs = Object.entries(result).map(([key, value]) => `${key}=${value}`);
  line = `${server} ${shape} ${count} ${settings.profile ?? 'gcm'} ${pairs.join(' ')}`;
} finally {
  await load.stop();
  await service?.stop();
}
console.log(line);
process.exit(0);

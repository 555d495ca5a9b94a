/**
 * coturn's own client against this server, in its modes: nothing is lost on the way, and no
 * allocation stays.  It needs Debian's coturn.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Server } from './lib/server.js';
import { until } from './lib/until.js';

const LATE_MS = 60_000; // some of its modes wait for seconds before they send

/** @type {Server} */
let server;
let tlsPort = 0;

before(async () => {
  // with TLS on HTTPS's port: TURN is answered there, too
  server = await Server.start({
    'turn.users': 'e2e:secret',
    'turn.allow_peers': '127.0.0.0/8',
  });
  tlsPort = server.ports.https;
});
after(() => server.close());

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<string>} what it printed
 */
function run(program, args) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: LATE_MS }, (error, stdout, stderr) => {
      const text = stdout + stderr;
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${text}`));
      else resolve(text);
    });
  });
}

const CLIENTS = 2;
const MESSAGES = 10;

/**
 * Each of a few clients sends messages by its relay to another's.
 * @param {string[]} flags
 */
async function relay(flags) {
  const port = flags.includes('-S') ? tlsPort : server.ports.stun;
  const text = await run('turnutils_uclient', [
    ...flags,
    ...['-y', '-c', '-u', 'e2e', '-w', 'secret', '-p', `${port}`],
    ...['-m', `${CLIENTS}`, '-n', `${MESSAGES}`, '127.0.0.1'],
  ]);
  const totals = [...text.matchAll(/tot_send_msgs=(\d+), tot_recv_msgs=(\d+)/g)].at(-1);
  assert.ok(totals, text);
  const [sent, received] = totals.slice(1).map(Number);
  assert.equal(sent, CLIENTS * MESSAGES, text);
  // By TLS the client itself overlooks some: what the server sent to it is counted further down.
  if (flags.includes('-S')) assert.ok(received > 0, text);
  else assert.equal(received, sent, text);
}

/** @type {[string, string[]][]} */
const MODES = [
  ['UDP, channels', []],
  ['UDP, Send', ['-s']],
  ['UDP, requests more than needed', ['-G']],
  ['UDP, requests that are wrong', ['-N']],
  ['UDP, DONT-FRAGMENT', ['-g']],
  ['TCP, channels', ['-t']],
  ['TCP, Send', ['-t', '-s']],
  ['TLS, channels', ['-t', '-S']],
  ['TLS, Send', ['-t', '-S', '-s']],
  ['relays of TCP (RFC 6062)', ['-T']],
];

test('a client is told its address', async () => {
  const text = await run('turnutils_stunclient', ['-p', `${server.ports.stun}`, '127.0.0.1']);
  assert.match(text, /UDP reflexive addr: 127\.0\.0\.1:\d+/);
});

// All at once, for the client waits more than it works.
test('what is sent by relays arrives', { concurrency: true }, async (all) => {
  await Promise.all(MODES.map(([name, flags]) => all.test(name, () => relay(flags))));
});

test('what is relayed to one of them is relayed to the other', async () => {
  const counts = await Promise.all(
    ['up', 'down'].map((direction) =>
      server.metric(`moim_turn_relayed_packets_total{direction="${direction}"}`),
    ),
  );
  const datagrams = MODES.filter(([, flags]) => !flags.includes('-T')).length;
  assert.deepEqual(counts, Array(2).fill(datagrams * CLIENTS * MESSAGES));
});

test('no allocation of a connection stays', async () => {
  // Over UDP the client leaves the first one, a probe, as it is; connections end with theirs.
  const probes = MODES.filter(([, flags]) => !flags.some((flag) => '-t -T'.includes(flag))).length;
  await until(
    'the allocations to go',
    async () => (await server.metric('moim_turn_allocations')) <= probes,
    { seen: () => server.log },
  );
  for (const transport of ['udp', 'tcp', 'tls'])
    assert.ok((await server.metric(`moim_turn_allocations_total{transport="${transport}"}`)) > 0);
});

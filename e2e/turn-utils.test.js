/**
 * coturn's own client against this server, in its modes: nothing is lost on the way, and no
 * allocation stays.  It needs Debian's coturn.  (What it does over DTLS is in turn-dtls.)
 *
 * Left out is what the client can't do with coturn's own server either: -R over UDP waits for ever
 * for answers to what it broke, as does -M over TLS, which closes its connection under itself; -N
 * with -T binds to connections that are not there; -b (SCTP), -J (OAuth) and -U (no ciphers) need
 * what neither this server nor Debian's has.
 */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { Server } from './lib/server.js';
import { until } from './lib/until.js';

const LATE_MS = 60_000; // some of its modes wait for seconds before they send
const BROKEN_MS = 5000; // for what may not end by itself
const SECRET = 'north by northwest';

/** @type {Server} */
let server;
let tlsPort = 0;
let hasIpv6 = true;
/** @type {import('node:child_process').ChildProcess} */
let peer;
let peerPort = 0;

/** @param {import('node:dgram').SocketType} type @param {string} host */
function freePort(type, host) {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type).once('error', reject);
    socket.bind(0, host, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

before(async () => {
  await freePort('udp6', '::1').catch(() => {
    hasIpv6 = false;
  });
  // with TLS on HTTPS's port: TURN is answered there, too
  server = await Server.start((ports) => ({
    'turn.listen': `127.0.0.1:${ports.stun}${hasIpv6 ? `,[::1]:${ports.stun}` : ''}`,
    'turn.users': 'e2e:secret',
    'turn.secret': SECRET,
    'turn.allow_peers': '127.0.0.0/8,::1',
  }));
  tlsPort = server.ports.https;
  peerPort = await freePort('udp4', '127.0.0.1');
  peer = spawn('turnutils_peer', ['-L', '127.0.0.1', '-p', `${peerPort}`], { stdio: 'ignore' });
});
after(async () => {
  peer?.kill();
  await server?.close();
});

/**
 * @param {string} program
 * @param {string[]} args
 * @param {number} [timeout]
 * @returns {Promise<string>} what it printed
 */
function run(program, args, timeout = LATE_MS) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout }, (error, stdout, stderr) => {
      const text = stdout + stderr;
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${text}`));
      else resolve(text);
    });
  });
}

/**
 * @typedef {object} Mode
 * @property {string} name
 * @property {string} flags
 * @property {number} [clients] 2
 * @property {number} [messages] 10, of each
 * @property {number} [counted] the share of what is sent that the client counts: 1
 * @property {RegExp} [says] what it prints
 */

/** @type {Mode[]} */
const MODES = [
  { name: 'UDP, channels', flags: '-y -c' },
  { name: 'UDP, Send', flags: '-y -c -s' },
  { name: 'UDP, RTP and RTCP on two ports, one of them reserved', flags: '-y', clients: 4 },
  { name: 'UDP, requests more than needed', flags: '-y -c -G' },
  { name: 'UDP, permissions more than needed', flags: '-y -c -s -G' },
  { name: 'UDP, requests that are wrong', flags: '-y -c -N' },
  { name: 'UDP, DONT-FRAGMENT', flags: '-y -c -g' },
  { name: 'UDP, DONT-FRAGMENT in Send', flags: '-y -c -g -s' },
  { name: 'UDP, channel data padded', flags: '-y -c -D -l 101' },
  { name: 'UDP, of 1400 bytes', flags: '-y -c -l 1400' },
  { name: 'UDP, of 9000 bytes', flags: '-y -c -l 9000' },
  { name: 'UDP, one message', flags: '-y -c', messages: 1 },
  // its sockets hold some 170 messages: more may wait when it comes late to them
  { name: 'UDP, a long run', flags: '-y -c -z 8', messages: 600 },
  { name: 'UDP, IPv4 by name', flags: '-y -c -X' },
  { name: 'UDP, both families', flags: '-y -c -Z' },
  { name: 'UDP, an ORIGIN and a bandwidth', flags: '-y -c -o http://moim.example -a 1000' },
  { name: 'UDP, from another address', flags: '-y -c -L 127.0.0.3' },
  { name: 'UDP, no permissions asked for', flags: '-y -c -I' },
  { name: 'UDP, mobility', flags: '-y -c -M' },
  { name: 'UDP, mobility of pairs of ports', flags: '-y -M', clients: 4 },
  { name: 'UDP, mobility of both families', flags: '-y -c -M -Z' },
  { name: 'UDP, a peer that answers', flags: '-c -e 127.0.0.1' },
  { name: 'UDP, a peer that answers to RTP and RTCP', flags: '-s -e 127.0.0.1', clients: 4 },
  { name: 'UDP, TURN REST', flags: `-y -c -u e2e -W` },
  { name: 'TCP, channels', flags: '-y -c -t' },
  { name: 'TCP, Send', flags: '-y -c -t -s' },
  { name: 'TCP, RTP and RTCP', flags: '-y -t', clients: 4 },
  { name: 'TCP, of 9000 bytes', flags: '-y -c -t -l 9000' },
  { name: 'TCP, a long run', flags: '-y -c -t -z 2', messages: 2000 },
  { name: 'TCP, mobility', flags: '-y -c -t -M' },
  { name: 'TLS, channels', flags: '-y -c -t -S' },
  { name: 'TLS, Send', flags: '-y -c -t -S -s' },
  { name: 'TLS, RTP and RTCP', flags: '-y -t -S', clients: 4 },
  { name: 'TLS, a long run', flags: '-y -c -t -S -z 2', messages: 2000 },
  { name: 'IPv6, channels', flags: '-y -c -x ::1' },
  { name: 'IPv6, Send', flags: '-y -c -s -x ::1' },
  { name: 'IPv6, TCP', flags: '-y -c -t -x ::1' },
  { name: 'IPv6 relays of IPv4 clients', flags: '-y -c -x' },
  { name: 'relays of TCP (RFC 6062)', flags: '-T', says: /\b2 connections are completed/ },
  // each of them connects to each other
  { name: 'many of them', flags: '-T', clients: 4, says: /\b12 connections are completed/ },
  { name: 'many of them over TLS', flags: '-T -S', clients: 4, says: /\b12 connections are compl/ },
  { name: 'relays of TCP over IPv6', flags: '-T -x ::1' },
  // the client does not look at what its peers are sent
  { name: 'relays of TCP that peers connect to', flags: '-P', counted: 0.5 },
];

/** @param {Mode} mode */
function flagsOf(mode) {
  return mode.flags.split(' ').filter((flag) => flag !== '::1');
}

/** @param {Mode} mode */
function isIpv6({ flags }) {
  return / -(x|Z)/.test(flags);
}

/** @param {Mode} mode */
function isTcpRelay({ flags }) {
  return /-[TP]/.test(flags);
}

/** @param {Mode} mode */
function isStream(mode) {
  return isTcpRelay(mode) || /-t/.test(mode.flags);
}

/** @param {Mode} mode */
async function relay(mode) {
  const { clients = 2, messages = 10, counted = 1, says = /./ } = mode;
  const flags = flagsOf(mode);
  const port = flags.includes('-S') ? tlsPort : server.ports.stun;
  const user = flags.includes('-W') ? [SECRET] : ['-u', 'e2e', '-w', 'secret'];
  const text = await run('turnutils_uclient', [
    ...[...flags, ...user, '-p', `${port}`, '-r', `${peerPort}`],
    ...['-m', `${clients}`, '-n', `${messages}`],
    mode.flags.endsWith('::1') ? '::1' : '127.0.0.1',
  ]);
  const totals = [...text.matchAll(/tot_send_msgs=(\d+), tot_recv_msgs=(\d+)/g)].at(-1);
  assert.ok(totals, text);
  const [sent, received] = totals.slice(1).map(Number);
  assert.equal(sent, clients * messages, text);
  assert.equal(received, sent * counted, text);
  assert.match(text, says);
}

test('a client is told its address', async () => {
  const text = await run('turnutils_stunclient', ['-p', `${server.ports.stun}`, '127.0.0.1']);
  assert.match(text, /UDP reflexive addr: 127\.0\.0\.1:\d+/);
});

// All at once, for the client waits more than it works.
test('what is sent by relays arrives', { concurrency: true }, async (all) => {
  await Promise.all(
    MODES.map((mode) =>
      all.test(mode.name, { skip: isIpv6(mode) && !hasIpv6 && 'no IPv6 here' }, () => relay(mode)),
    ),
  );
});

test('what is relayed to one of them is relayed to the other', async () => {
  const counts = await Promise.all(
    ['up', 'down'].map((direction) =>
      server.metric(`moim_turn_relayed_packets_total{direction="${direction}"}`),
    ),
  );
  const sent = MODES.filter((mode) => !isTcpRelay(mode) && (hasIpv6 || !isIpv6(mode))).reduce(
    (sum, { clients = 2, messages = 10 }) => sum + clients * messages,
    0,
  );
  assert.deepEqual(counts, [sent, sent]);
});

test('no allocation of a connection stays', async () => {
  // Over UDP the client leaves the first one, a probe, as it is, and wherever it may move it;
  // connections end with theirs.
  const probes = MODES.filter((mode) => !isStream(mode) || / -M/.test(mode.flags)).reduce(
    (sum, { clients = 2 }) => sum + clients,
    0,
  );
  await until(
    'the allocations to go',
    async () => (await server.metric('moim_turn_allocations')) <= probes,
    { seen: () => server.log },
  );
  for (const transport of ['udp', 'tcp', 'tls'])
    assert.ok((await server.metric(`moim_turn_allocations_total{transport="${transport}"}`)) > 0);
});

// What comes of it depends on what the client breaks: the server must bear it.
test('broken messages and cut connections do no harm', { concurrency: true }, async () => {
  const harm = ['-y -c -R', '-y -c -t -R', '-T -R', '-y -c -O', '-y -c -t -O', '-y -c -B', '-T -B'];
  const args = ['-u', 'e2e', '-w', 'secret', '-p', `${server.ports.stun}`, '-m', '4', '127.0.0.1'];
  await Promise.allSettled(
    harm.map((flags) => run('turnutils_uclient', [...flags.split(' '), ...args], BROKEN_MS)),
  );
  await relay(MODES[0]);
});

/**
 * coturn beside this server (`turn.servers`): it takes the credentials that clients are given here,
 * without having heard of them.  It needs Debian's coturn.
 */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePort, Server } from './lib/server.js';
import { until } from './lib/until.js';

const LATE_MS = 60_000;
const SECRET = 'what both of them know';
const MESSAGES = 5;
const CLIENTS = 2; // one, and with -y its peer

/** @type {Server} */
let server;
/** @type {import('node:child_process').ChildProcess} */
let coturn;
let folder = '';
let log = '';
let port = 0;

before(async () => {
  port = await freePort(true);
  folder = await mkdtemp(path.join(tmpdir(), 'moim-coturn-'));
  coturn = spawn(
    'turnserver',
    [
      ...['-n', '--listening-ip=127.0.0.1', `--listening-port=${port}`, '--relay-ip=127.0.0.1'],
      ...['--use-auth-secret', `--static-auth-secret=${SECRET}`, '--realm=coturn.example'],
      ...['--allow-loopback-peers', '--no-cli', '--no-tls', '--no-dtls', '--log-file=stdout'],
      ...[`--pidfile=${folder}/pid`, `--userdb=${folder}/users`, '-v'],
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  for (const stream of [coturn.stdout, coturn.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
  server = await Server.start({
    'turn.servers': `turn:127.0.0.1:${port}?transport=udp`,
    'turn.secret': SECRET,
  });
  await until('coturn to answer', async () => /reflexive/.test(await probe()), { seen: () => log });
});

after(async () => {
  await server?.close();
  if (coturn.exitCode === null && coturn.signalCode === null) {
    coturn.kill('SIGKILL');
    await once(coturn, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<string>} what it printed, however it ended
 */
function run(program, args) {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: LATE_MS }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

const probe = () => run('turnutils_stunclient', ['-p', `${port}`, '127.0.0.1']);

/** @param {string} name @param {string} password */
const relay = (name, password) =>
  run('turnutils_uclient', [
    ...['-y', '-c', '-u', name, '-w', password, '-p', `${port}`],
    ...['-m', '1', '-n', `${MESSAGES}`, '127.0.0.1'],
  ]);

test('coturn takes the credentials that clients are given', { timeout: 120_000 }, async () => {
  const answer = await server.get('/api/v1/ice?room=standup');
  const [{ urls, username, credential }] = JSON.parse(answer.text).iceServers;
  assert.deepEqual(urls, [`turn:127.0.0.1:${port}?transport=udp`]);
  const text = await relay(username, credential);
  const all = `${CLIENTS * MESSAGES}`;
  assert.match(text, new RegExp(`tot_send_msgs=${all}, tot_recv_msgs=${all}$`, 'm'), text + log);
});

test('and no others', { timeout: 120_000 }, async () => {
  const answer = await server.get('/api/v1/ice?room=standup');
  const [{ username }] = JSON.parse(answer.text).iceServers;
  const text = await relay(username, 'another password, of nobody');
  assert.doesNotMatch(text, /tot_recv_msgs=[1-9]/);
  assert.match(text, /Cannot complete Allocation/);
});

/** The program from outside: settings, signals, floods, and what it says of them. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { Program, PROGRAM } from './lib/program.js';
import { until } from './lib/until.js';

/**
 * @param {string} name
 * @param {(use: <T extends Program>(program: T) => T) => Promise<void>} run
 */
function scenario(name, run) {
  test(name, { timeout: 180_000 }, async () => {
    /** @type {Program[]} */
    const programs = [];
    try {
      await run((program) => {
        programs.push(program);
        return program;
      });
    } finally {
      await Promise.all(programs.map((program) => program.close()));
    }
  });
}

/** @param {number} port @param {string} request */
async function ask(port, request) {
  const socket = net.connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  socket.write(request);
  await once(socket, 'close');
  return text;
}

/** @param {number} port @param {string} where */
const get = (port, where) =>
  ask(port, `GET ${where} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);

/** @param {string} url @param {string} room @param {string} name */
async function join(url, room, name) {
  const socket = new WebSocket(url, { rejectUnauthorized: false });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'join', version: 1, room, name }));
  const [text] = await once(socket, 'message');
  assert.equal(JSON.parse(text).type, 'welcome');
  return socket;
}

/** @param {number} port */
async function fingerprint(port) {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const found = socket.getPeerCertificate().fingerprint256;
  socket.destroy();
  return found;
}

for (const [args, environment, line] of /** @type {const} */ ([
  [['--set', 'http.lisen=1'], {}, '--set: http.lisen: unknown key'],
  [[], { MOIM_LOG_LEVEL: 'loud' }, 'MOIM_LOG_LEVEL: log.level: "loud" is not one of'],
  [['--config', 'no.yaml'], {}, 'no.yaml: '],
  [['dance'], {}, 'dance'],
])) {
  scenario(`a mistake is one line and exit code 2: ${line}`, async (use) => {
    const program = use(new Program([...args], { environment }));
    assert.equal(await program.ended(), 2, program.output);
    assert.ok(program.output.includes(line), program.output);
    assert.equal(program.output.trim().split('\n').length, 1, program.output);
  });
}

scenario('a mistake in a file names its line', async (use) => {
  const folder = use(new Program(['version'])).folder;
  const file = path.join(folder, 'moim.yaml');
  writeFileSync(file, 'workers: 2\nhttps:\n  listen: ["0.0.0.0:99999"]\n');
  const program = use(new Program(['--config', file]));
  assert.equal(await program.ended(), 2);
  assert.match(program.output, /moim\.yaml:3: https\.listen: "0\.0\.0\.0:99999" is not an address/);
});

scenario('an address that is taken is told with its key', async (use) => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = `127.0.0.1:${/** @type {net.AddressInfo} */ (other.address()).port}`;
  const args = [
    '--set', `http.listen=${address}`, '--set', 'https.listen=', '--set', 'turn.listen=',
    '--set', 'turn.tls_listen=', '--set', 'rtc.port=0',
  ];
  const second = use(new Program(args));
  assert.notEqual(await second.ended(), 0);
  assert.match(second.output, new RegExp(`http\\.listen: can't listen on ${address}: .*in use`));
  const doctor = use(new Program(['doctor', ...args]));
  assert.equal(await doctor.ended(), 1, doctor.output);
  assert.match(doctor.output, new RegExp(`^fail .*${address}`, 'm'));
  other.close();
});

scenario('SIGTERM closes WebSockets with 1001 and ends', async (use) => {
  const program = use(await Program.serve());
  const sockets = [
    await join(`ws://127.0.0.1:${program.port('http')}/api/v1/meet`, 'a', 'one'),
    await join(`wss://127.0.0.1:${program.port('https')}/api/v1/meet`, 'b', 'two'),
  ];
  const idle = net.connect(program.port('http'), '127.0.0.1');
  await once(idle, 'connect');
  const closed = sockets.map((socket) => once(socket, 'close'));
  program.kill('SIGTERM');
  for (const end of closed) assert.equal((await end)[0], 1001);
  assert.equal(await program.ended(), 0, program.output);
  assert.equal(program.events('server.stopping').length, 1);
});

scenario('SIGHUP takes the new certificate, and a broken one not', async (use) => {
  const folder = use(new Program(['version'])).folder;
  const cert = path.join(folder, 'cert.pem');
  const key = path.join(folder, 'key.pem');
  const make = () =>
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=localhost', '-days', '2', '-keyout', key, '-out', cert],
    ], { stdio: 'ignore' });
  make();
  const program = use(
    await Program.serve(['--set', `https.cert=${cert}`, '--set', `https.key=${key}`]),
  );
  const port = program.port('https');
  const before = await fingerprint(port);
  const socket = await join(`wss://127.0.0.1:${port}/api/v1/meet`, 'room', 'stays');

  make();
  program.kill('SIGHUP');
  await until('the new certificate', async () => (await fingerprint(port)) !== before);
  const after = await fingerprint(port);

  writeFileSync(cert, 'nothing');
  program.kill('SIGHUP');
  await until('the refusal', () => program.lines.some(({ level }) => level === 'error'), {
    seen: () => program.output,
  });
  assert.equal(await fingerprint(port), after);
  socket.send(JSON.stringify({ type: 'ping' }));
  const [text] = await once(socket, 'message');
  assert.equal(JSON.parse(text).type, 'pong');
  socket.close();
});

scenario('SIGHUP reads secrets again, and a file with a mistake not', async (use) => {
  const folder = use(new Program(['version'])).folder;
  const config = path.join(folder, 'moim.yaml');
  const secrets = ['a', 'b'].map((letter) => letter.repeat(32));
  const write = (/** @type {string} */ secret) =>
    writeFileSync(config, `auth: {secret: ${secret}}\nturn: {secret: ${secret}}\nworkers: 2\n`);
  const token = (/** @type {string} */ secret) =>
    execFileSync(PROGRAM, ['token', '--room', 'r', '--set', `auth.secret=${secret}`], {
      encoding: 'utf8',
    }).trim();
  write(secrets[0]);
  const program = use(await Program.serve(['--config', config]));
  const tokens = secrets.map(token);
  const port = program.port('http');
  // connections go to any worker: each must know
  const statuses = (/** @type {number} */ n) =>
    Promise.all(
      Array.from({ length: 16 }, async () =>
        (await get(port, `/api/v1/ice?token=${tokens[n]}`)).slice(9, 12)),
    );
  const all = async (/** @type {number} */ n, /** @type {string} */ status) =>
    (await statuses(n)).every((each) => each === status);
  assert.ok(await all(0, '200'));
  assert.ok(await all(1, '401'));

  write(secrets[1]);
  program.kill('SIGHUP');
  await until('the new secret', () => all(1, '200'), { seen: () => program.output });
  assert.ok(await all(0, '401'));
  await until('the log', () => program.events('settings.reloaded').length === 1);

  writeFileSync(config, 'auth: {secret: short}\n');
  program.kill('SIGHUP');
  await until('the refusal', () => program.events('settings.reload_failed').length === 1, {
    seen: () => program.output,
  });
  assert.ok(!program.output.includes('short'), program.output);
  assert.ok(await all(1, '200'));
});

scenario('the admin API is for who has its token, and asks every worker', async (use) => {
  const secret = 'of the admin in these tests';
  const program = use(
    await Program.serve(['--set', `admin.token=${secret}`, '--set', 'workers=2']),
  );
  const port = program.port('http');
  const where = '/api/v1/turn/allocations';
  const as = (/** @type {string} */ token) =>
    ask(port, `GET ${where} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
      `Authorization: Bearer ${token}\r\n\r\n`);
  assert.match(await get(port, where), /^HTTP\/1.1 401 Unauthorized\r\n/);
  assert.match(await as('another'), /^HTTP\/1.1 401 /);
  // each worker is asked by the other, whichever has the connection
  for (let i = 0; i < 12; i += 1)
    assert.match(await as(secret), /^HTTP\/1.1 200 [^]*\r\n\r\n\{"allocations":\[\]\}$/);
});

scenario('more connections than descriptors: refused, and served again afterwards', async (use) => {
  const program = use(await Program.serve(['--set', 'workers=1'], { openFiles: 200 }));
  const port = program.port('http');
  const sockets = Array.from({ length: 300 }, () => net.connect(port, '127.0.0.1'));
  let gone = 0;
  sockets.forEach((socket) => socket.on('error', () => {}).on('close', () => { gone += 1; }));
  await until('the ones too many to be closed', () => gone >= 100, { seen: () => gone });
  sockets.forEach((socket) => socket.destroy());
  const metrics = await until('service', async () => {
    const text = await get(port, '/metrics');
    return text.startsWith('HTTP/1.1 200') && text;
  });
  assert.match(metrics, /^moim_connections_refused_total [1-9]/m);
});

scenario('connections that say nothing, or half of it, keep nobody waiting', async (use) => {
  const program = use(await Program.serve());
  const half = Array.from({ length: 400 }, (_, i) => {
    const socket = net.connect(program.port(i % 2 ? 'http' : 'https'), '127.0.0.1');
    socket.on('error', () => {});
    if (i % 4 === 1) socket.write('GET / HTTP/1.1\r\nHost: loc');
    if (i % 4 === 2) socket.write(Buffer.from('16030100ff0100', 'hex')); // a ClientHello begins
    return socket;
  });
  await until('all of them', async () => {
    const text = await get(program.port('http'), '/metrics');
    return Number(/^moim_connections (\d+)/m.exec(text)?.[1]) > 400;
  });
  const url = `wss://127.0.0.1:${program.port('https')}/api/v1/meet`;
  const one = await join(url, 'busy', 'one');
  /** @type {string[]} */
  const heard = [];
  one.on('message', (text) => heard.push(JSON.parse(String(text)).text));
  const two = await join(url, 'busy', 'two');
  two.send(JSON.stringify({ type: 'chat', text: 'through' }));
  await until('the chat', () => heard.includes('through'));
  half.forEach((socket) => socket.destroy());
  one.close();
  two.close();
  await until('all to be gone', async () => {
    const text = await get(program.port('http'), '/metrics');
    return /^moim_connections 1$/m.test(text) && /^moim_members 0$/m.test(text);
  });
  program.kill('SIGTERM');
  assert.equal(await program.ended(), 0, program.output);
});

/** Engine.IO 4, as its protocol's document and test suite have it, against an echo. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { briefFact as fact, conformance } from './lib/service.js';
import { requestText, Wire } from './lib/wire.js';

const PING_INTERVAL = 300;
const PING_TIMEOUT = 200;
const POLLING = '/engine.io/?EIO=4&transport=polling';
const SOCKET = '/engine.io/?EIO=4&transport=websocket';

const service = conformance();

/** @param {string} packet */
function readHandshake(packet) {
  assert.equal(packet[0], '0');
  return JSON.parse(packet.slice(1));
}

/** A new session over polls: its id. */
async function open() {
  const { status, body } = await service.ask('GET', POLLING);
  assert.equal(status, 200, body);
  return readHandshake(body).sid;
}

/** @param {string} sid @param {string} [more] */
const poll = (sid, more = '') => service.ask('GET', `${POLLING}&sid=${sid}${more}`);

/** @param {string} sid @param {string} body */
const post = (sid, body) => service.ask('POST', `${POLLING}&sid=${sid}`, { body });

async function openSocket() {
  const socket = await service.socket(SOCKET);
  return { socket, handshake: readHandshake(String(await socket.next())) };
}

/** A session whose WebSocket has been probed. */
async function probe() {
  const sid = await open();
  const socket = await service.socket(`${SOCKET}&sid=${sid}`);
  assert.equal(await socket.send('2probe').next(), '3probe');
  return { sid, socket };
}

fact('polling: a handshake tells the terms', async () => {
  const { status, headers, body } = await service.ask('GET', POLLING);
  assert.equal(status, 200);
  assert.match(headers['content-type'], /^text\/plain; charset=utf-8$/i);
  const { sid, ...terms } = readHandshake(body);
  assert.equal(typeof sid, 'string');
  assert.deepEqual(terms, {
    upgrades: ['websocket'],
    pingInterval: PING_INTERVAL,
    pingTimeout: PING_TIMEOUT,
    maxPayload: 1_000_000,
  });
});

for (const [what, query] of [
  ['no revision', 'transport=polling'],
  ['an unknown revision', 'EIO=abc&transport=polling'],
  ['a revision that is switched off', 'EIO=3&transport=polling'],
  ['no transport', 'EIO=4'],
  ['an unknown transport', 'EIO=4&transport=abc'],
  ['an unknown session', 'EIO=4&transport=polling&sid=nobody'],
]) {
  fact(`polling: ${what} is refused`, async () => {
    const { status, headers, body } = await service.ask('GET', `/engine.io/?${query}`);
    assert.equal(status, 400);
    assert.match(headers['content-type'], /^application\/json/);
    assert.equal(typeof JSON.parse(body).code, 'number');
    assert.equal(typeof JSON.parse(body).message, 'string');
  });
}

for (const method of ['POST', 'PUT']) {
  fact(`polling: no session begins with ${method}`, async () => {
    assert.equal((await service.ask(method, POLLING)).status, 400);
  });
}

fact('WebSocket: a handshake tells the terms', async () => {
  const { socket, handshake } = await openSocket();
  const { sid, ...terms } = handshake;
  assert.equal(typeof sid, 'string');
  assert.deepEqual(terms, {
    upgrades: [],
    pingInterval: PING_INTERVAL,
    pingTimeout: PING_TIMEOUT,
    maxPayload: 1_000_000,
  });
  socket.close();
});

for (const query of [
  'transport=websocket',
  'EIO=abc&transport=websocket',
  'EIO=4',
  'EIO=4&transport=abc',
  'EIO=4&transport=websocket&sid=nobody',
]) {
  fact(`WebSocket: ${query} is refused`, async () => {
    await service.peer(`/engine.io/?${query}`).closed();
  });
}

for (const [what, payload] of [
  ['one text', '4hello'],
  ['several texts', '4test1\x1e4test2\x1e4test3'],
  ['text and bytes', '4hello\x1ebAQIDBA=='],
  ['letters of all sizes', '4hé €亜Б😀'],
]) {
  fact(`polling: ${what} goes there and back`, async () => {
    const sid = await open();
    const posted = await post(sid, payload);
    assert.equal(posted.status, 200);
    assert.equal(posted.body, 'ok');
    const polled = await poll(sid);
    assert.equal(polled.status, 200);
    assert.equal(polled.body, payload);
  });
}

fact('polling: a message of almost maxPayload goes there and back', async () => {
  const sid = await open();
  const payload = `4${'x'.repeat(999_000)}`;
  assert.equal((await post(sid, payload)).status, 200);
  assert.equal((await poll(sid)).body.length, payload.length);
});

fact('polling: more than maxPayload is refused', async () => {
  const sid = await open();
  const { status } = await post(sid, `4${'x'.repeat(1_000_000)}`);
  assert.equal(status, 413);
});

fact('polling: what is no packet ends the session', async () => {
  const sid = await open();
  assert.equal((await post(sid, 'abc')).status, 400);
  assert.equal((await poll(sid)).status, 400);
});

fact('polling: a second poll ends the session', async () => {
  const sid = await open();
  const polls = await Promise.all([poll(sid), poll(sid, '&t=burst')]);
  const [first, second] = polls.sort((a, b) => a.status - b.status);
  assert.equal(first.status, 200);
  assert.equal(first.body, '1');
  assert.equal(second.status, 400);
  assert.equal((await poll(sid)).status, 400);
});

fact('polling: a poll that is broken off ends the session', async () => {
  const sid = await open();
  const wire = await Wire.open(service.port);
  wire.send(requestText('GET', `${POLLING}&sid=${sid}`));
  await sleep(5); // an end that comes with the request would do, too
  wire.drop();
  assert.equal((await poll(sid)).status, 400);
});

fact('WebSocket: text goes there and back', async () => {
  const { socket } = await openSocket();
  assert.equal(await socket.send('4hello').next(), '4hello');
  socket.close();
});

fact('WebSocket: bytes go there and back', async () => {
  const { socket } = await openSocket();
  const bytes = Buffer.from([1, 2, 3, 4]);
  assert.deepEqual(await socket.send(bytes).next(), bytes);
  socket.close();
});

fact('WebSocket: a message of almost maxPayload goes there and back', async () => {
  const { socket } = await openSocket();
  const text = `4${'x'.repeat(999_000)}`;
  let message = await socket.send(text).next();
  while (message === '2') message = await socket.send('3').next();
  assert.equal(message, text);
  socket.close();
});

fact('WebSocket: what is no packet ends the session', async () => {
  const { socket } = await openSocket();
  await socket.send('abc').closed();
});

fact('polling: ping and pong', async () => {
  const sid = await open();
  for (let i = 0; i < 3; i += 1) {
    const { status, body } = await poll(sid);
    assert.equal(status, 200);
    assert.equal(body, '2');
    assert.equal((await post(sid, '3')).status, 200);
  }
});

fact('polling: silence ends the session, no later than promised', async () => {
  const sid = await open();
  await sleep(PING_INTERVAL + PING_TIMEOUT);
  assert.equal((await poll(sid)).status, 400);
});

fact('WebSocket: ping and pong', async () => {
  const { socket } = await openSocket();
  for (let i = 0; i < 3; i += 1) {
    assert.equal(await socket.next(), '2');
    socket.send('3');
  }
  socket.close();
});

fact('WebSocket: silence ends the session', async () => {
  const { socket } = await openSocket();
  await socket.closed();
});

fact('polling: the client closes', async () => {
  for (;;) {
    const sid = await open();
    const [polled, posted] = await Promise.all([poll(sid), post(sid, '1')]);
    assert.equal(posted.status, 200);
    assert.equal((await poll(sid)).status, 400);
    if (polled.status === 400) continue; // the poll came second
    assert.equal(polled.status, 200);
    assert.equal(polled.body, '6');
    break;
  }
});

fact('WebSocket: the client closes', async () => {
  const { socket } = await openSocket();
  await socket.send('1').closed();
});

fact('upgrade: the WebSocket takes over', async () => {
  const { sid, socket } = await probe();
  const { status, body } = await poll(sid);
  assert.equal(status, 200);
  assert.equal(body, '6');
  socket.send('5').send('4hello');
  assert.equal(await socket.next(), '4hello');
  socket.close();
});

fact('upgrade: a poll that is held is let go', async () => {
  const sid = await open();
  const held = poll(sid);
  const socket = await service.socket(`${SOCKET}&sid=${sid}`);
  assert.equal(await socket.send('2probe').next(), '3probe');
  assert.equal((await held).body, '6');
  assert.equal(await socket.send('5').send('4hello').next(), '4hello');
  socket.close();
});

fact('upgrade: what waited comes through the WebSocket', async () => {
  const { sid, socket } = await probe();
  assert.equal((await post(sid, '4waited')).status, 200);
  assert.equal(await socket.send('5').next(), '4waited');
  socket.close();
});

fact('upgrade: polls are refused behind it, and do no harm', async () => {
  const { sid, socket } = await probe();
  socket.send('5');
  assert.equal((await poll(sid)).status, 400);
  assert.equal(await socket.send('4hello').next(), '4hello');
  socket.close();
});

fact('upgrade: a second WebSocket is refused behind it, and does no harm', async () => {
  const { sid, socket } = await probe();
  socket.send('5');
  await service.peer(`${SOCKET}&sid=${sid}`).closed();
  assert.equal(await socket.send('4hello').next(), '4hello');
  socket.close();
});

fact('any page may use it', async () => {
  const headers = { Origin: 'https://example.org' };
  const { headers: got } = await service.ask('GET', POLLING, { headers });
  assert.match(got['access-control-allow-origin'], /^(\*|https:\/\/example\.org)$/);
  const preflight = await service.ask('OPTIONS', POLLING, {
    headers: { ...headers, 'Access-Control-Request-Method': 'POST' },
  });
  assert.ok(preflight.status === 204 || preflight.status === 200, String(preflight.status));
});

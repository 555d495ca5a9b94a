/** Socket.IO 5, as its protocol's document and test suite have it; and its Engine.IO below. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { briefFact as fact, conformance } from './lib/service.js';

const PING_INTERVAL = 300;
const PING_TIMEOUT = 200;
const POLLING = '/socket.io/?EIO=4&transport=polling';
const SOCKET = '/socket.io/?EIO=4&transport=websocket';
const ONE = Buffer.from([1, 2, 3]);
const TWO = Buffer.from([4, 5, 6]);
const SLOTS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';

const service = conformance();

/** A session over polls: its id. */
async function open() {
  return JSON.parse((await service.ask('GET', POLLING)).body.slice(1)).sid;
}

/** @param {string} sid @param {string} [body] posted; polled without */
const ask = (sid, body) =>
  service.ask(body === undefined ? 'GET' : 'POST', `${POLLING}&sid=${sid}`, { body });

/** A WebSocket that has read its handshake, but has connected to no namespace. */
async function openSocket() {
  const socket = await service.socket(SOCKET);
  const handshake = JSON.parse(String(await socket.next()).slice(1));
  return { socket, handshake };
}

/**
 * The next message that is no ping; pings are answered.
 * @param {import('./lib/wire.js').Peer} socket
 */
async function next(socket) {
  let message = await socket.next();
  while (message === '2') message = await socket.send('3').next();
  return message;
}

/** A WebSocket in the main namespace. */
async function connect() {
  const { socket } = await openSocket();
  assert.match(String(await next(socket.send('40'))), /^40\{/);
  assert.equal(await next(socket), '42["auth",{}]');
  return socket;
}

// ---- Engine.IO, at this path ----

fact('Engine.IO: handshakes tell the terms', async () => {
  const terms = { pingInterval: PING_INTERVAL, pingTimeout: PING_TIMEOUT, maxPayload: 1_000_000 };
  const { status, body } = await service.ask('GET', POLLING);
  assert.equal(status, 200);
  const polled = JSON.parse(body.slice(1));
  assert.equal(typeof polled.sid, 'string');
  assert.deepEqual(polled, { sid: polled.sid, upgrades: ['websocket'], ...terms });
  const { socket, handshake } = await openSocket();
  assert.equal(typeof handshake.sid, 'string');
  assert.deepEqual(handshake, { sid: handshake.sid, upgrades: [], ...terms });
  socket.close();
});

fact('Engine.IO: what is no handshake is refused', async () => {
  for (const query of ['transport=polling', 'EIO=abc&transport=polling', 'EIO=4']) {
    assert.equal((await service.ask('GET', `/socket.io/?${query}`)).status, 400);
  }
  assert.equal((await service.ask('GET', '/socket.io/?EIO=4&transport=abc')).status, 400);
  assert.equal((await service.ask('POST', POLLING)).status, 400);
  assert.equal((await service.ask('PUT', POLLING)).status, 400);
  for (const query of ['transport=websocket', 'EIO=abc&transport=websocket', 'EIO=4']) {
    await service.peer(`/socket.io/?${query}`).closed();
  }
  await service.peer('/socket.io/?EIO=4&transport=abc').closed();
});

fact('Engine.IO: ping and pong over polls', async () => {
  const sid = await open();
  for (let i = 0; i < 3; i += 1) {
    const { status, body } = await ask(sid);
    assert.equal(status, 200);
    assert.equal(body, '2');
    assert.equal((await ask(sid, '3')).status, 200);
  }
});

fact('Engine.IO: silence over polls ends the session, no later than promised', async () => {
  const sid = await open();
  await sleep(PING_INTERVAL + PING_TIMEOUT);
  assert.equal((await ask(sid)).status, 400);
});

fact('Engine.IO: ping, pong and silence over a WebSocket', async () => {
  const { socket } = await openSocket();
  for (let i = 0; i < 3; i += 1) {
    assert.equal(await socket.next(), '2');
    socket.send('3');
  }
  await socket.closed();
});

fact('Engine.IO: the client closes', async () => {
  for (;;) {
    const sid = await open();
    const [polled, posted] = await Promise.all([ask(sid), ask(sid, '1')]);
    assert.equal(posted.status, 200);
    assert.equal((await ask(sid)).status, 400);
    if (polled.status === 400) continue; // the poll came second
    assert.equal(polled.body, '6');
    break;
  }
  const { socket } = await openSocket();
  await socket.send('1').closed();
});

fact('Engine.IO: the upgrade, all at once, and who comes behind it', async () => {
  const sid = await open();
  const socket = await service.socket(`${SOCKET}&sid=${sid}`);
  socket.send('2probe').send('5');
  assert.equal(await socket.next(), '3probe');
  assert.equal((await ask(sid)).status, 400);
  await service.peer(`${SOCKET}&sid=${sid}`).closed();
  assert.match(String(await next(socket.send('40'))), /^40\{/);
  socket.close();
});

// ---- namespaces ----

for (const [what, said, head, auth] of [
  ['the main namespace', '40', '40', '42["auth",{}]'],
  ['the main namespace with a payload', '40{"token":"123"}', '40', '42["auth",{"token":"123"}]'],
  ['another namespace', '40/custom,', '40/custom,', '42/custom,["auth",{}]'],
  [
    'another namespace with a payload',
    '40/custom,{"token":"abc"}',
    '40/custom,',
    '42/custom,["auth",{"token":"abc"}]',
  ],
]) {
  fact(`connects to ${what}`, async () => {
    const { socket, handshake } = await openSocket();
    const packet = String(await next(socket.send(said)));
    assert.ok(packet.startsWith(head), packet);
    const payload = JSON.parse(packet.slice(head.length));
    assert.deepEqual(Object.keys(payload), ['sid']);
    assert.equal(typeof payload.sid, 'string');
    assert.notEqual(payload.sid, handshake.sid);
    assert.equal(await next(socket), auth);
    socket.close();
  });
}

fact('connects over polls, too', async () => {
  const sid = await open();
  assert.equal((await ask(sid, '40')).body, 'ok');
  const packets = (await ask(sid)).body.split('\x1e');
  assert.match(packets[0], /^40\{"sid":"/);
  assert.deepEqual(packets.slice(1), ['42["auth",{}]']);
});

for (const said of ['40/random', '40/random,', '40/random,{"token":"abc"}']) {
  fact(`an unknown namespace is refused: ${said}`, async () => {
    const { socket } = await openSocket();
    assert.equal(await next(socket.send(said)), '44/random,{"message":"Invalid namespace"}');
    assert.match(String(await next(socket.send('40'))), /^40\{/, 'and the session goes on');
    socket.close();
  });
}

for (const said of ['4abc', '4', '42["message"]', '40{', '43["a"]']) {
  fact(`who begins with ${said} is shown out`, async () => {
    const { socket } = await openSocket();
    await socket.send(said).closed();
  });
}

fact('who connects to no namespace in time is shown out', async () => {
  const { socket } = await openSocket();
  await assert.rejects(async () => {
    for (;;) assert.equal(await next(socket), 'nothing');
  }, /closed/);
});

fact('leaves the main namespace', async () => {
  const socket = await connect();
  assert.equal(await socket.send('41').next(), '2', 'the session below it goes on');
  assert.match(String(await next(socket.send('3').send('40'))), /^40\{/);
  socket.close();
});

fact('leaves another namespace and stays in the first', async () => {
  const socket = await connect();
  assert.match(String(await next(socket.send('40/custom'))), /^40\/custom,\{/);
  assert.equal(await next(socket), '42/custom,["auth",{}]');
  socket.send('41/custom').send('42["message","to the main namespace"]');
  assert.equal(await next(socket), '42["message-back","to the main namespace"]');
  socket.close();
});

// ---- events ----

for (const [what, said, heard] of [
  ['an event', '2["message",1,"2",{"3":[true]}]', '2["message-back",1,"2",{"3":[true]}]'],
  ['an event without arguments', '2["message"]', '2["message-back"]'],
  ['letters of all sizes', '2["message","é€😀\\n"]', '2["message-back","é€😀\\n"]'],
  [
    'an event that is to be acknowledged',
    '2456["message-with-ack",1,"2",{"3":[false]}]',
    '3456[1,"2",{"3":[false]}]',
  ],
  ['acknowledged with nothing', '20["message-with-ack"]', '30[]'],
]) {
  fact(`${what} comes back`, async () => {
    const socket = await connect();
    assert.equal(await next(socket.send(`4${said}`)), `4${heard}`);
    socket.close();
  });
}

for (const [what, said, heard] of [
  ['an event', `52-["message",${SLOTS}]`, `52-["message-back",${SLOTS}]`],
  ['an acknowledgement', `52-789["message-with-ack",${SLOTS}]`, `62-789[${SLOTS}]`],
]) {
  fact(`${what} with bytes comes back`, async () => {
    const socket = await connect();
    socket.send(`4${said}`).send(ONE).send(TWO);
    assert.equal(await next(socket), `4${heard}`);
    assert.deepEqual(await next(socket), ONE);
    assert.deepEqual(await next(socket), TWO);
    socket.close();
  });
}

fact('bytes come back over polls', async () => {
  const sid = await open();
  assert.equal((await ask(sid, '40')).body, 'ok');
  assert.match((await ask(sid)).body, /^40/);
  const bytes = `b${ONE.toString('base64')}\x1eb${TWO.toString('base64')}`;
  assert.equal((await ask(sid, `452-["message",${SLOTS}]\x1e${bytes}`)).body, 'ok');
  assert.equal((await ask(sid)).body, `452-["message-back",${SLOTS}]\x1e${bytes}`);
});

fact('events in another namespace come back there', async () => {
  const socket = await connect();
  assert.match(String(await next(socket.send('40/custom,'))), /^40\/custom,\{/);
  assert.equal(await next(socket), '42/custom,["auth",{}]');
  assert.equal(
    await next(socket.send('42/custom,["message","a"]')),
    '42/custom,["message-back","a"]',
  );
  assert.equal(await next(socket.send('42/custom,7["message-with-ack",1]')), '43/custom,7[1]');
  socket.close();
});

for (const said of [
  '4abc',
  '42{}',
  '42abc["message-with-ack",1,"2",{"3":[false]}]',
  '42',
  '42[]',
  '42[1',
  '47',
  '451-["message",{"_placeholder":true,"num":0}',
]) {
  fact(`what is no packet ends the session: ${said}`, async () => {
    const socket = await connect();
    await socket.send(said).closed();
  });
}

fact('bytes that belong to nothing end the session', async () => {
  const socket = await connect();
  await socket.send(ONE).closed();
});

fact('text where bytes are to come ends the session', async () => {
  const socket = await connect();
  await socket.send(`452-["message",${SLOTS}]`).send('42["message"]').closed();
});

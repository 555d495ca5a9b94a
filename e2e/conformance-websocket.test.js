/** WebSockets: SockJS 0.3.3 over them, SockJS's raw ones, and bare ones. */

import assert from 'node:assert/strict';
import { conformance, fact } from './lib/service.js';
import { GO_AWAY, SockSession } from './lib/sockjs.js';
import { requestText, Wire } from './lib/wire.js';

const KEY = 'x3JJHMbDL1EzLkh9GBhXDw==';
const ACCEPT = 'HSmrc0sMlYUkAGmm5OPpG2HaGWk='; // what RFC 6455 makes of it
const UPGRADE = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': KEY };

const service = conformance();

/** Where a session with a name of its own is. */
const path = (base = '/echo') => `${new SockSession(service, base).path}/websocket`;

/** @param {string} [where] */
async function open(where = path()) {
  const socket = await service.socket(where);
  assert.equal(await socket.next(), 'o');
  return socket;
}

// ---- handshakes ----

fact('a request that is no upgrade is told what is wrong', async () => {
  const plain = await service.ask('GET', '/echo/0/0/websocket');
  assert.equal(plain.status, 400);
  assert.ok(plain.body.includes('Can "Upgrade" only to "WebSocket".'), plain.body);
  const headers = { Upgrade: 'WebSocket', Connection: 'close' };
  const closing = await service.ask('GET', '/echo/0/0/websocket', { headers });
  assert.equal(closing.status, 400);
  assert.ok(closing.body.includes('"Connection" must be "Upgrade".'), closing.body);
});

fact('only GET may upgrade', async () => {
  for (const headers of [{ Upgrade: 'WebSocket', Connection: 'Upgrade' }, {}]) {
    const answer = await service.ask('POST', '/echo/0/0/websocket', { headers });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers['content-type'], undefined);
    assert.ok(answer.headers.allow);
    assert.equal(answer.body, '');
  }
});

fact('a service without WebSockets has none', async () => {
  for (const where of [path('/disabled_websocket_echo'), '/disabled_websocket_echo/websocket']) {
    const { status } = await service.peer(where).closed();
    assert.equal(status, 404);
  }
});

for (const version of ['7', '8', '13']) {
  fact(`version ${version} of the protocol is spoken`, async () => {
    for (const connection of ['Upgrade', 'keep-alive, Upgrade']) {
      const { wire, status, headers } = await service.begin('GET', path(), {
        headers: {
          ...UPGRADE,
          Connection: connection,
          'Sec-WebSocket-Version': version,
          'Sec-WebSocket-Origin': 'http://asd',
        },
      });
      assert.equal(status, 101);
      assert.equal(headers['sec-websocket-accept'], ACCEPT);
      assert.equal(headers.connection.toLowerCase(), 'upgrade');
      assert.equal(headers.upgrade.toLowerCase(), 'websocket');
      assert.equal(headers['content-length'], undefined);
      assert.deepEqual(await wire.bytes(3), Buffer.from([0x81, 1, 0x6f]), 'the letter o');
      wire.drop();
    }
  });
}

fact('an unknown version is told which is known', async () => {
  const headers = { ...UPGRADE, 'Sec-WebSocket-Version': '99' };
  const answer = await service.ask('GET', path(), { headers });
  assert.ok(answer.status === 400 || answer.status === 426, String(answer.status));
  assert.match(answer.headers['sec-websocket-version'], /\b13\b/);
});

// ---- SockJS ----

fact('messages go there and back, one at a time or many, and empty ones are none', async () => {
  const socket = await open();
  assert.equal(await socket.send('["a"]').next(), 'a["a"]');
  socket.send('').send('[]');
  assert.equal(await socket.send('"b"').next(), 'a["b"]');
  /** @type {string[]} */
  const got = [];
  socket.send('["c","d"]');
  while (got.length < 2) got.push(...JSON.parse(String(await socket.next()).slice(1)));
  assert.deepEqual(got, ['c', 'd']);
  socket.close();
  assert.equal((await socket.closed()).code, 1005);
});

fact('the server closes', async () => {
  const socket = await open(path('/close'));
  assert.equal(await socket.next(), GO_AWAY);
  // the frame has told the code; old clients take none but this one from below
  assert.equal((await socket.closed()).code, 1000);
});

fact('sessions may have one name, at once or one after the other', async () => {
  const where = path();
  const first = await open(where);
  const second = await open(where);
  assert.equal(await first.send('["a"]').next(), 'a["a"]');
  assert.equal(await second.send('["b"]').next(), 'a["b"]');
  first.close();
  second.close();
  await first.closed();
  await second.closed();
  const third = await open(where);
  assert.equal(await third.send('["c"]').next(), 'a["c"]');
  third.close();
});

for (const broken of ['["a', '[1]', '["a"', 'x', '{"a":"b"}']) {
  fact(`what is no JSON of SockJS ends the connection: ${broken}`, async () => {
    const socket = await open();
    await socket.send(broken).closed();
  });
}

fact('letters that get lost on the way are sent as escapes', async () => {
  const socket = await open();
  const text = JSON.stringify(['\u200c\u2028\ufffe é€😀']);
  const escaped = 'a["\\u200c\\u2028\\ufffe é€\\ud83d\\ude00"]';
  assert.equal(await socket.send(text).next(), escaped);
  socket.close();
});

// ---- raw ----

fact('a raw WebSocket has no frames around its messages', async () => {
  const socket = await service.socket('/echo/websocket');
  assert.equal(await socket.send('Hello world!\uffff').next(), 'Hello world!\uffff');
  socket.close();
  const closed = await (await service.socket('/close/websocket')).closed();
  assert.equal(closed.code, 3000);
  assert.equal(closed.reason, 'Go away!');
});

fact('a bare WebSocket: text and bytes, short and long', async () => {
  const socket = await service.socket('/echo-ws');
  for (const message of ['', 'a', 'é€😀', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(65536)]) {
    assert.equal(await socket.send(message).next(), message);
    assert.deepEqual(await socket.send(Buffer.from(message)).next(), Buffer.from(message));
  }
  const long = 'x'.repeat(1_000_000);
  assert.equal(await socket.send(long).next(), long);
  socket.close();
});

fact('a bare WebSocket: frames in pieces, and pings between them', async () => {
  const wire = await Wire.open(service.port);
  const headers = { ...UPGRADE, 'Sec-WebSocket-Version': '13' };
  assert.equal((await wire.send(requestText('GET', '/echo-ws', { headers })).head()).status, 101);
  /** @param {number} first @param {string} text */
  const frame = (first, text) =>
    Buffer.concat([Buffer.from([first, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
  const bytes = Buffer.concat([frame(0x01, 'ab'), frame(0x89, 'p'), frame(0x80, 'cd')]);
  for (const byte of bytes) wire.send(Buffer.from([byte]));
  assert.deepEqual(await wire.bytes(3), Buffer.from([0x8a, 1, 0x70]), 'the pong');
  assert.deepEqual(await wire.bytes(6), Buffer.from([0x81, 4, ...Buffer.from('abcd')]));
  wire.send(frame(0x88, '\x03\xe8'));
  assert.equal((await wire.bytes(1))[0], 0x88);
  wire.drop();
});

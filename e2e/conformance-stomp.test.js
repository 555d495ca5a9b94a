/** STOMP 1.0, 1.1 and 1.2 at /signaling, as a stranger reads the specifications. */

import assert from 'node:assert/strict';
import { fact, serve } from './lib/service.js';
import { SockSession } from './lib/sockjs.js';
import { frame, Stomp } from './lib/stomp.js';

/** @typedef {import('./lib/wire.js').Peer} Peer */

const RAW = '/signaling/websocket';
const ALL = '1.0,1.1,1.2';
const VERSIONS = ['1.0', '1.1', '1.2'];

const service = serve();

/** A topic that no other fact knows. */
let topics = 0;
const topic = () => `/topic/conformance/${(topics += 1)}`;

/** @param {Peer} peer */
const bare = (peer) => ({
  send: (/** @type {string} */ text) => peer.send(text),
  next: async () => String(await peer.next()),
});

/** @param {Peer} peer one that speaks SockJS */
function framed(peer) {
  return {
    send: (/** @type {string} */ text) => peer.send(JSON.stringify([text])),
    next: async () => {
      const message = String(await peer.next());
      return message[0] === 'a' ? JSON.parse(message.slice(1)).join('') : '';
    },
  };
}

async function open() {
  const peer = await service.socket(RAW);
  return { peer, stomp: new Stomp(bare(peer)) };
}

/** @param {string} [versions] */
async function connected(versions = '1.2') {
  const { peer, stomp } = await open();
  await stomp.connect({ 'accept-version': versions, host: 'localhost' });
  return { peer, stomp };
}

// ---- what brings it ----

/** Says something, and hears it. @param {Stomp} stomp */
async function goesRound(stomp) {
  const destination = topic();
  await stomp.connect();
  await stomp.subscribe('a', destination);
  stomp.say('SEND', { destination }, '{"key":"é€😀"}');
  const headers = await stomp.hears('{"key":"é€😀"}');
  assert.equal(headers.destination, destination);
  assert.equal(headers.subscription, 'a');
}

fact('comes over a raw WebSocket', async () => {
  const { peer, stomp } = await open();
  await goesRound(stomp);
  peer.close();
});

for (const [asked, chosen] of [
  [['v12.stomp'], 'v12.stomp'],
  [['v11.stomp'], 'v11.stomp'],
  [['v10.stomp'], 'v10.stomp'],
  [['v12.stomp', 'v11.stomp', 'v10.stomp'], 'v12.stomp'],
  [['v10.stomp', 'v11.stomp', 'v12.stomp'], null],
]) {
  fact(`comes over a WebSocket that asks for ${asked}`, async () => {
    const peer = await service.socket('/signaling', /** @type {string[]} */ (asked));
    if (chosen) assert.equal(peer.socket.protocol, chosen);
    else assert.ok(asked?.includes(peer.socket.protocol));
    await goesRound(new Stomp(bare(peer)));
    peer.close();
  });
}

fact('comes over SockJS, even when CONNECT comes before the letter o', async () => {
  const peer = service.peer(`${new SockSession(service, '/signaling').path}/websocket`);
  const connect = JSON.stringify(frame('CONNECT', { 'accept-version': ALL }));
  peer.socket.on('open', () => peer.send(connect));
  assert.equal(await peer.next(), 'o');
  const stomp = new Stomp(framed(peer));
  assert.equal((await stomp.next()).command, 'CONNECTED');
  peer.close();
});

fact('comes over a WebSocket of SockJS', async () => {
  const peer = await service.socket(`${new SockSession(service, '/signaling').path}/websocket`);
  assert.equal(await peer.next(), 'o');
  await goesRound(new Stomp(framed(peer)));
  peer.close();
});

fact('comes over polls of SockJS', async () => {
  const session = new SockSession(service, '/signaling');
  await session.says('o');
  /** @type {Promise<unknown>} */
  let sent = Promise.resolve();
  await goesRound(
    new Stomp({
      send: (text) => {
        sent = sent.then(() => session.tells(JSON.stringify([text])));
      },
      next: async () => {
        await sent;
        const { body } = await session.poll();
        return body[0] === 'a' ? JSON.parse(body.slice(1)).join('') : '';
      },
    }),
  );
});

// ---- CONNECT ----

for (const [accepted, version] of [
  [undefined, '1.0'],
  ['1.0', '1.0'],
  ['1.1', '1.1'],
  ['1.2', '1.2'],
  ['1.0,1.1', '1.1'],
  ['1.1,1.0', '1.1'],
  [ALL, '1.2'],
  ['1.0,1.1,2.0', '1.1'],
  ['1.1,1.2,9.9', '1.2'],
]) {
  fact(`of ${accepted ?? 'no versions'} it takes ${version}`, async () => {
    for (const command of ['CONNECT', 'STOMP']) {
      const { peer, stomp } = await open();
      const said = accepted ? { 'accept-version': accepted } : {};
      const { headers } = await stomp.connect(said, command);
      assert.equal(headers.version, version);
      assert.ok(headers.session);
      peer.close();
    }
  });
}

fact('without a version in common it tells which there are, and goes', async () => {
  const { peer, stomp } = await open();
  const headers = await stomp.say('CONNECT', { 'accept-version': '2.0,3.1' }).fails();
  assert.equal(headers.version, ALL);
  await peer.closed();
});

fact('beats are agreed on', async () => {
  const { peer, stomp } = await open();
  const said = await stomp.connect({ 'accept-version': '1.2', 'heart-beat': '0,0' });
  assert.match(said.headers['heart-beat'], /^\d+,\d+$/);
  peer.close();
  for (const beats of ['a', '1', '1,', ',1', '-1,0', '1,2,3', '1 ,2x']) {
    const other = await open();
    other.stomp.say('CONNECT', { 'accept-version': '1.2', 'heart-beat': beats });
    await other.stomp.fails();
    await other.peer.closed();
  }
});

fact('CONNECT comes first, and once', async () => {
  for (const command of ['SEND', 'SUBSCRIBE', 'DISCONNECT', 'BEGIN']) {
    const { peer, stomp } = await open();
    await stomp.say(command, { destination: topic(), id: 1, transaction: 't' }).fails();
    await peer.closed();
  }
  const { peer, stomp } = await connected();
  await stomp.say('CONNECT', { 'accept-version': ALL }).fails();
  await peer.closed();
});

// ---- SUBSCRIBE, UNSUBSCRIBE, SEND, MESSAGE ----

for (const version of VERSIONS) {
  fact(`${version}: a message has what it must have, and all that it came with`, async () => {
    const { peer, stomp } = await connected(version);
    const destination = topic();
    await stomp.subscribe('one', destination);
    await stomp.subscribe('two', destination);
    const sent = { destination, 'content-type': 'text/plain', own: 'kept' };
    stomp.say('SEND', sent, 'body');
    const first = await stomp.hears('body');
    const second = await stomp.hears('body');
    assert.deepEqual([first.subscription, second.subscription].sort(), ['one', 'two']);
    assert.ok(first['message-id']);
    for (const [name, value] of Object.entries(sent)) assert.equal(first[name], value);
    assert.equal(first['content-length'], '4');
    stomp.say('SEND', { destination }, '{}');
    const plain = await stomp.hears('{}');
    assert.ok(plain['content-type'], 'what has no type is given one');
    assert.notEqual(plain['message-id'], first['message-id']);
    peer.close();
  });

  fact(`${version}: who unsubscribes hears no more`, async () => {
    const { peer, stomp } = await connected(version);
    const destination = topic();
    await stomp.subscribe('one', destination);
    await stomp.subscribe('two', destination);
    stomp.say('UNSUBSCRIBE', { id: 'one' }).say('SEND', { destination }, 'a');
    assert.equal((await stomp.hears('a')).subscription, 'two');
    stomp.say('UNSUBSCRIBE', { id: 'two', receipt: 'none' });
    await stomp.isReceived('none');
    stomp.say('SEND', { destination, receipt: 'sent' }, 'b');
    await stomp.isReceived('sent');
    peer.close();
  });
}

fact('1.0: a subscription needs no id', async () => {
  const { peer, stomp } = await connected('1.0');
  const destination = topic();
  stomp.say('SUBSCRIBE', { destination, receipt: 'r' });
  await stomp.isReceived('r');
  stomp.say('SEND', { destination }, 'a');
  await stomp.hears('a');
  stomp.say('UNSUBSCRIBE', { destination }).say('SEND', { destination, receipt: 's' }, 'b');
  await stomp.isReceived('s');
  peer.close();
});

fact('what goes to the application is told to the topic', async () => {
  const { peer, stomp } = await connected();
  await stomp.subscribe('a', '/topic/call/key');
  stomp.say('SEND', { destination: '/app/call/key' }, '{}');
  assert.equal((await stomp.hears('{}')).destination, '/topic/call/key');
  peer.close();
});

fact('patterns are subscribed to', async () => {
  const { peer, stomp } = await connected();
  const destination = topic();
  await stomp.subscribe('star', '/topic/conformance/*');
  stomp.say('SEND', { destination }, 'a');
  const headers = await stomp.hears('a');
  assert.equal(headers.subscription, 'star');
  assert.equal(headers.destination, destination);
  peer.close();
});

// ---- ACK, NACK, transactions ----

for (const [mode, version] of [
  ['auto', '1.2'],
  ['client', '1.0'],
  ['client', '1.1'],
  ['client', '1.2'],
  ['client-individual', '1.1'],
  ['client-individual', '1.2'],
]) {
  fact(`${version}: a subscription in the mode ${mode}`, async () => {
    const { peer, stomp } = await connected(version);
    const destination = topic();
    await stomp.subscribe('a', destination, { ack: mode });
    stomp.say('SEND', { destination }, 'a');
    const message = await stomp.hears('a');
    if (mode === 'auto') assert.equal(message.ack, undefined);
    else if (version === '1.2') assert.ok(message.ack, 'there is something to acknowledge by');
    const told =
      version === '1.2'
        ? { id: message.ack ?? 'none' }
        : { 'message-id': message['message-id'], subscription: 'a' };
    for (const command of version === '1.0' ? ['ACK'] : ['ACK', 'NACK']) {
      stomp.say(command, { ...told, receipt: command });
      await stomp.isReceived(command);
    }
    peer.close();
  });
}

for (const version of VERSIONS) {
  fact(`${version}: a transaction is told at its end, or not at all`, async () => {
    const { peer, stomp } = await connected(version);
    const destination = topic();
    await stomp.subscribe('a', destination);
    stomp.say('BEGIN', { transaction: 't', receipt: 'begun' });
    await stomp.isReceived('begun');
    stomp.say('SEND', { destination, transaction: 't' }, 'in the first');
    stomp.say('BEGIN', { transaction: 'u' });
    stomp.say('SEND', { destination, transaction: 'u' }, 'in the second');
    stomp.say('SEND', { destination }, 'outside');
    await stomp.hears('outside');
    stomp.say('ABORT', { transaction: 'u' }).say('COMMIT', { transaction: 't' });
    await stomp.hears('in the first');
    stomp.say('SEND', { destination }, 'behind');
    await stomp.hears('behind');
    peer.close();
  });
}

// ---- what is wrong ----

for (const [what, command, headers] of /** @type {const} */ ([
  ['a SEND to nowhere', 'SEND', {}],
  ['a SUBSCRIBE without an id', 'SUBSCRIBE', { destination: '/topic/a' }],
  ['a SUBSCRIBE to nothing', 'SUBSCRIBE', { id: 1 }],
  ['an UNSUBSCRIBE of nothing', 'UNSUBSCRIBE', {}],
  ['an ACK of nothing', 'ACK', {}],
  ['a NACK of nothing', 'NACK', {}],
  ['a BEGIN of nothing', 'BEGIN', {}],
  ['a COMMIT of nothing', 'COMMIT', {}],
  ['a COMMIT of what did not begin', 'COMMIT', { transaction: 't' }],
  ['an ABORT of what did not begin', 'ABORT', { transaction: 't' }],
  ['a SEND in what did not begin', 'SEND', { destination: '/topic/a', transaction: 't' }],
  ["a server's frame", 'MESSAGE', { destination: '/topic/a' }],
  ['an unknown command', 'SHOUT', {}],
])) {
  fact(`${what} is an error, and the end`, async () => {
    for (const version of ['1.1', '1.2']) {
      const { peer, stomp } = await connected(version);
      const error = await stomp.say(command, { ...headers, receipt: 'r' }).fails();
      if (what.includes('of') || what.includes('SEND to')) assert.equal(error['receipt-id'], 'r');
      await peer.closed();
    }
  });
}

fact('a transaction that begins twice is an error', async () => {
  const { peer, stomp } = await connected();
  await stomp.say('BEGIN', { transaction: 't' }).say('BEGIN', { transaction: 't' }).fails();
  await peer.closed();
});

fact('1.2: an escape that is none is an error', async () => {
  for (const own of ['a\\tb', 'a\\', '\\x']) {
    const { peer, stomp } = await connected();
    await stomp.say('SEND', { destination: topic(), own }).fails();
    await peer.closed();
  }
});

fact('a body that goes on behind its length is an error', async () => {
  const { peer, stomp } = await connected();
  await stomp.say('SEND', { destination: topic(), 'content-length': 2 }, 'abc').fails();
  await peer.closed();
});

// ---- bytes ----

fact('1.1 and 1.2: names and values may hold everything, as escapes', async () => {
  const { peer, stomp } = await connected('1.1');
  const destination = topic();
  await stomp.subscribe('a', destination);
  stomp.say('SEND', { destination, 'a\\cb': 'c\\nd\\\\e' });
  assert.equal((await stomp.hears(''))['a:b'], 'c\nd\\e');
  peer.close();
  const other = await connected('1.2');
  await other.stomp.subscribe('a', destination);
  other.stomp.say('SEND', { destination, x: 'a\\rb\\c\\\\n' });
  assert.equal((await other.stomp.hears('')).x, 'a\rb:\\n');
  other.peer.close();
});

fact('each hears a value as its own version writes it', async () => {
  const old = await connected('1.0');
  const recent = await connected('1.2');
  const destination = topic();
  await old.stomp.subscribe('a', destination);
  await recent.stomp.subscribe('b', destination);
  old.stomp.say('SEND', { destination, x: 'a\\b:c' });
  assert.equal((await recent.stomp.hears('')).x, 'a\\b:c');
  assert.equal((await old.stomp.hears('')).x, 'a\\b:c');
  old.peer.close();
  recent.peer.close();
});

fact('of two headers of a name the first counts, and blanks belong to values', async () => {
  const { peer, stomp } = await connected();
  const destination = topic();
  await stomp.subscribe('a', destination);
  peer.send(`SEND\ndestination:${destination}\nx: first \nx:second\n\n\0`);
  assert.equal((await stomp.hears('')).x, ' first ');
  peer.close();
});

fact('lines may end with a carriage return', async () => {
  const { peer, stomp } = await connected();
  const destination = topic();
  await stomp.subscribe('a', destination);
  peer.send(`SEND\r\ndestination:${destination}\r\nx:y\r\n\r\nbody\r\n\0\r\n`);
  assert.equal((await stomp.hears('body\r\n')).x, 'y');
  peer.close();
});

fact('with a length a body may hold NUL', async () => {
  const { peer, stomp } = await connected();
  const destination = topic();
  await stomp.subscribe('a', destination);
  for (const body of ['\0', 'a\0b\0', 'é\0€\0\0😀']) {
    stomp.say('SEND', { destination, 'content-length': Buffer.byteLength(body) }, body);
    const headers = await stomp.hears(body);
    assert.equal(headers['content-length'], String(Buffer.byteLength(body)));
  }
  peer.close();
});

fact('frames come as messages, as pieces of them, and many in one', async () => {
  const { peer, stomp } = await connected();
  const destination = topic();
  await stomp.subscribe('a', destination);
  for (const letter of `\n\n${frame('SEND', { destination }, 'in pieces')}`) peer.send(letter);
  await stomp.hears('in pieces');
  peer.send(`${frame('SEND', { destination }, '1')}\n\n${frame('SEND', { destination }, '2')}`);
  await stomp.hears('1');
  await stomp.hears('2');
  peer.send(Buffer.from(frame('SEND', { destination }, 'bytes')));
  await stomp.hears('bytes');
  peer.close();
});

fact('DISCONNECT is acknowledged, and nothing comes behind it', async () => {
  const { peer, stomp } = await connected();
  const destination = topic();
  await stomp.subscribe('a', destination);
  stomp.say('DISCONNECT', { receipt: 'bye' }).say('SEND', { destination }, 'late');
  await stomp.isReceived('bye');
  peer.close();
  await assert.rejects(stomp.next(), /closed/);
});

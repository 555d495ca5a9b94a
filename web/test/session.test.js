import assert from 'node:assert/strict';
import { test } from 'node:test';

import { backoffMs } from '../signal/backoff.js';
import { Outbox } from '../signal/outbox.js';
import { Session } from '../signal/session.js';

/** A world with a clock that only moves when told, and sockets that the test is the far end of. */
class FakeWorld {
  time = 0;
  sockets = [];
  timers = [];

  open = () => {
    const socket = {
      sent: [],
      send: (text) => socket.sent.push(JSON.parse(text)),
      close: (code) => { socket.closed = code; },
    };
    this.sockets.push(socket);
    return socket;
  };

  now = () => this.time;
  random = () => 0.5;

  after = (run, ms) => {
    const timer = { run, at: this.time + ms };
    this.timers.push(timer);
    return () => { this.timers = this.timers.filter((other) => other !== timer); };
  };

  pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.run();
    }
    this.time = end;
  }

  get socket() {
    return this.sockets[this.sockets.length - 1];
  }

  say(message, socket = this.socket) {
    socket.onmessage?.({ data: JSON.stringify(message) });
  }
}

const REQUEST = { room: 'r', name: 'Mina', audio: true, video: false, screen: false };
const WELCOME = {
  type: 'welcome', version: 1, seq: 7, you: 'm2', session: 'secret', room: 'r', topology: 'mesh',
  members: [], iceServers: [], resumeSeconds: 30,
};

function joined() {
  const world = new FakeWorld();
  const seen = { states: [], welcomes: [], resumed: 0, events: [], refused: [], errors: [] };
  const session = new Session('ws://x', {
    state: (state) => seen.states.push(state),
    welcome: (welcome, again) => seen.welcomes.push({ you: welcome.you, again }),
    resumed: () => { seen.resumed += 1; },
    event: (event) => seen.events.push(event),
    refused: (code) => seen.refused.push(code),
    error: (error) => seen.errors.push(error.code),
  }, world);
  session.join(() => REQUEST);
  world.socket.onopen({});
  world.say(WELCOME);
  return { world, session, seen };
}

const chat = (text) => ({ type: 'chat', text });

test('join is said first, with what is sent at first', () => {
  const { world, seen } = joined();
  assert.deepEqual(world.socket.sent[0], { type: 'join', version: 1, ...REQUEST });
  assert.deepEqual(seen.welcomes, [{ you: 'm2', again: false }]);
  assert.equal(seen.states.at(-1), 'joined');
});

test('messages are numbered from 1 and kept until acknowledged', () => {
  const { world, session } = joined();
  for (const text of ['a', 'b', 'c']) session.send(chat(text));
  assert.deepEqual(world.socket.sent.slice(1).map((message) => message.id), [1, 2, 3]);
  world.say({ type: 'ack', id: 2 });
  assert.equal(session.unacknowledged, 1);
});

test('events come once and in order, whatever is said twice', () => {
  const { world, seen, session } = joined();
  for (const seq of [7, 8, 8, 12, 9]) {
    world.say({ type: 'chat', from: 'm1', text: String(seq), seq });
  }
  assert.deepEqual(seen.events.map((event) => event.seq), [8, 12]);
  assert.equal(session.seq, 12);
});

test('a broken connection is resumed: what came after `received` is said again', () => {
  const { world, session, seen } = joined();
  for (const text of ['a', 'b', 'c']) session.send(chat(text));
  world.say({ type: 'hand', from: 'm1', raised: true, seq: 11 });
  world.socket.onclose({ code: 1006 });
  assert.equal(seen.states.at(-1), 'reconnecting');
  session.send(chat('d'));
  world.pass(1000);
  assert.equal(world.sockets.length, 2);
  world.socket.onopen({});
  const resume = { type: 'resume', version: 1, room: 'r', session: 'secret', seq: 11 };
  assert.deepEqual(world.socket.sent, [resume]);
  world.say({ type: 'resumed', seq: 11, received: 2, iceServers: [] });
  const again = world.socket.sent.slice(1).map((message) => [message.id, message.text]);
  assert.deepEqual(again, [[3, 'c'], [4, 'd']]);
  assert.equal(seen.resumed, 1);
  session.send(chat('e'));
  assert.equal(world.socket.sent.at(-1).id, 5);
});

test('a late word of the old connection is not heard', () => {
  const { world, seen } = joined();
  const old = world.socket;
  old.onclose({ code: 1006 });
  world.say({ type: 'chat', from: 'm1', text: 'ghost', seq: 20 }, old);
  assert.equal(seen.events.length, 0);
});

test('a lost session joins anew on the same connection and says the unsaid chat again', () => {
  const { world, session, seen } = joined();
  session.send(chat('heard before the break'));
  world.socket.onclose({ code: 1001 });
  session.send(chat('written meanwhile'));
  session.send({ type: 'chat', to: 'm1', text: 'private' });
  session.send({ type: 'offer', to: 'm1', sdp: 'v=0' });
  world.pass(1000);
  world.socket.onopen({});
  world.say({ type: 'error', code: 'session-lost', message: '', re: 'resume' });
  assert.equal(world.socket.sent.at(-1).type, 'join');
  world.say({ ...WELCOME, you: 'm5', seq: 1, session: 'other' });
  assert.deepEqual(seen.welcomes.at(-1), { you: 'm5', again: true });
  const late = { type: 'chat', text: 'written meanwhile', id: 1 };
  assert.deepEqual(world.socket.sent.slice(2), [late]);
});

test('a silent server is asked, then left for a new connection', () => {
  const { world, seen } = joined();
  world.pass(12000);
  assert.equal(world.socket.sent.at(-1).type, 'ping');
  world.say({ type: 'pong' });
  assert.equal(seen.states.at(-1), 'joined');
  world.pass(13000);
  assert.equal(world.socket.sent.at(-1).type, 'ping');
  const first = world.socket;
  world.pass(14000);
  assert.equal(first.closed, 4001); // neither 1000 nor 1001: the place is kept
  assert.ok(world.sockets.length > 1);
});

test('a refused join ends; a refused message does not', () => {
  const { world, seen } = joined();
  world.say({ type: 'error', code: 'no-such-member', message: '', re: 'offer', id: 1 });
  assert.deepEqual(seen.errors, ['no-such-member']);
  const other = joined();
  other.session.leave();
  const world2 = new FakeWorld();
  const refused = [];
  const session = new Session('ws://x', {
    state: () => {}, welcome: () => {}, resumed: () => {}, event: () => {}, error: () => {},
    refused: (code) => refused.push(code),
  }, world2);
  session.join(() => REQUEST);
  world2.socket.onopen({});
  world2.say({ type: 'error', code: 'name-taken', message: '', re: 'join' });
  assert.deepEqual(refused, ['name-taken']);
  assert.equal(session.state, 'ended');
  world2.pass(60000);
  assert.equal(world2.sockets.length, 1);
});

test('leave is said, closes with 1000 and is the end', () => {
  const { world, session, seen } = joined();
  session.leave();
  assert.equal(world.socket.sent.at(-1).type, 'leave');
  assert.equal(world.socket.closed, 1000);
  world.pass(60000);
  assert.equal(world.sockets.length, 1);
  assert.equal(seen.states.at(-1), 'ended');
});

test('an unreachable server is tried again, ever more slowly', () => {
  const { world } = joined();
  for (let i = 0; i < 8; i += 1) {
    world.socket.onclose({ code: 1006 });
    world.pass(8000);
  }
  assert.equal(world.sockets.length, 9);
});

test('a session taken up elsewhere is the end here', () => {
  const { world, seen } = joined();
  world.socket.onclose({ code: 4000 });
  assert.deepEqual(seen.refused, ['replaced']);
});

test('odd words are ignored', () => {
  const { world, seen } = joined();
  world.socket.onmessage({ data: 'not json' });
  world.socket.onmessage({ data: 'null' });
  world.say({ type: 'from-the-future', x: 1 });
  assert.equal(seen.events.length, 0);
});

test('the outbox forgets what was acknowledged, also beyond its end', () => {
  const outbox = new Outbox();
  const first = outbox.push(chat('a'));
  outbox.markSent(first);
  outbox.push(chat('b'));
  assert.deepEqual(outbox.neverSent().map((message) => message.id), [2]);
  outbox.acknowledge(1);
  assert.deepEqual(outbox.waiting().map((message) => message.id), [2]);
  outbox.acknowledge(99);
  assert.equal(outbox.size, 0);
});

test('waiting grows to a limit below the time for which a place is kept', () => {
  assert.ok(backoffMs(0, 0) >= 200 && backoffMs(0, 0.99) <= 400);
  for (let attempt = 0; attempt < 40; attempt += 1) assert.ok(backoffMs(attempt, 0.999) <= 8000);
});

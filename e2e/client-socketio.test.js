/**
 * Socket.IO's clients of three generations, by polls alone, by a WebSocket alone, and from the one
 * to the other: what they say comes back unchanged, bytes too, and is acknowledged.
 */

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-2';
import io3 from 'socket.io-client-3';
import { Program } from './lib/program.js';
import { until } from './lib/until.js';

const RULES = `
endpoints:
  - path: /socket.io
    carry: engine.io
    speak: socket.io
    rules:
      - {on: say, to: sender, emit: said}
      - {on: tell, to: others}
      - {on: ask, acknowledge: true}
`;

const WAYS = [['polling'], ['websocket'], ['polling', 'websocket']];
const CLIENTS = { 2: io2, 3: io3, 4: io4 };
const SAID = [
  { text: '모임 🦊 \u2028 "\\', numbers: [1, -2.5, 1e21], nothing: null, yes: true },
  'plain',
  { deep: [Buffer.from([0, 1, 30, 98, 255]), { more: Buffer.alloc(3000, 7) }] },
];

/** @type {Program} */
let program;
const file = path.join(tmpdir(), `moim-socketio-${process.pid}.yaml`);

before(async () => {
  writeFileSync(file, RULES);
  program = await Program.serve(['--config', file]);
});
after(async () => {
  await program.close();
  rmSync(file);
});

/**
 * @param {any} io
 * @param {string[]} transports
 * @param {string} namespace
 */
function connect(io, transports, namespace) {
  const url = `http://localhost:${program.port('http')}${namespace}`;
  const socket = io(url, { transports, forceNew: true, reconnection: false });
  const heard = /** @type {any[][]} */ ([]);
  for (const event of ['said', 'tell', 'connect_error']) {
    socket.on(event, (/** @type {any[]} */ ...args) => heard.push([event, ...args]));
  }
  return { socket, heard };
}

for (const [version, io] of Object.entries(CLIENTS)) {
  for (const transports of WAYS) {
    test(`socket.io-client ${version} over ${transports.join(', then ')}`, async () => {
      const namespace = transports.length > 1 ? '/somewhere' : '/';
      const one = connect(io, transports, namespace);
      const other = connect(io, transports, namespace);
      try {
        for (const { socket, heard } of [one, other]) {
          await until('the connection', () => socket.connected, { seen: () => heard });
        }
        if (transports.length > 1) {
          await until(
            'the WebSocket to take over',
            () => one.socket.io.engine.transport.name === 'websocket',
          );
        }
        one.socket.emit('say', ...SAID);
        one.socket.emit('tell', SAID[0]);
        const answer = await new Promise((resolve) => {
          one.socket.emit('ask', ...SAID, (/** @type {any[]} */ ...args) => resolve(args));
        });
        assert.deepEqual(answer, SAID);
        assert.deepEqual(one.heard, [['said', ...SAID]]);
        await until('the other to hear', () => other.heard.length > 0);
        assert.deepEqual(other.heard, [['tell', SAID[0]]]);
      } finally {
        for (const { socket } of [one, other]) socket.close();
      }
    });
  }
}

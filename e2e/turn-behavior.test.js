/**
 * NAT behavior discovery (RFC 5780), as coturn's tools exercise it, and from where answers really
 * come.  It needs Debian's coturn.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Server } from './lib/server.js';

const LATE_MS = 30_000;

/** @type {Server} */
let server;
let port = 0;
let otherPort = 0;

/** A port of UDP that is free on both addresses. */
async function freePort() {
  for (;;) {
    const sockets = [createSocket('udp4'), createSocket('udp4')];
    try {
      sockets[0].bind(0, '127.0.0.1');
      await once(sockets[0], 'listening');
      const found = sockets[0].address().port;
      sockets[1].bind(found, '127.0.0.2');
      await once(sockets[1], 'listening');
      return found;
    } catch {
      // the second address has it in use
    } finally {
      sockets.forEach((socket) => socket.close());
    }
  }
}

before(async () => {
  port = await freePort();
  otherPort = await freePort();
  const places = ['127.0.0.1', '127.0.0.2'].flatMap((host) => [
    `${host}:${port}`,
    `${host}:${otherPort}`,
  ]);
  server = await Server.start({
    'turn.listen': places.join(','),
    'turn.behavior_discovery': 'true',
  });
});
after(() => server?.close());

/**
 * @param {string} program
 * @param {string[]} flags
 * @returns {Promise<string>} what it printed
 */
function run(program, flags) {
  const args = [...flags, '-p', `${port}`, '127.0.0.1'];
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: LATE_MS }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program}: ${error.message}\n${stdout}${stderr}`));
      else resolve(stdout + stderr);
    });
  });
}

test('mapping and filtering are found out', async () => {
  for (const more of [[], ['-P']]) {
    const text = await run('turnutils_natdiscovery', ['-m', '-f', ...more]);
    assert.match(text, /NAT with Endpoint Independent Mapping!/);
    assert.match(text, /NAT with Endpoint Independent Filtering!/);
    assert.match(text, new RegExp(`Other addr: : 127\\.0\\.0\\.2:${otherPort}`));
  }
});

test('a mapping is asked for from another port', async () => {
  const text = await run('turnutils_natdiscovery', ['-t', '-T', '1', '-L', '127.0.0.1']);
  assert.match(text, /RFC 5780 response 2/);
});

test('the STUN client goes through its tests', async () => {
  const text = await run('turnutils_stunclient', ['-f']);
  assert.match(text, /RFC 5780 response 3/);
});

test('answers come from where they are asked from', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  for (const [flags, host, wanted] of /** @type {[number, string, number][]} */ ([
    [0, '127.0.0.1', port],
    [2, '127.0.0.1', otherPort],
    [4, '127.0.0.2', port],
    [6, '127.0.0.2', otherPort],
  ])) {
    const header = [0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, flags];
    socket.send(Buffer.from([...header, 0, 3, 0, 4, 0, 0, 0, flags]), port, '127.0.0.1');
    const [answer, from] = await once(socket, 'message');
    assert.equal(answer.readUInt16BE(0), 0x0101);
    assert.deepEqual([from.address, from.port], [host, wanted]);
  }
  socket.close();
});

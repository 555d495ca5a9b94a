/**
 * coturn's own client over DTLS, in its modes: nothing is lost on the way, and no allocation or
 * association stays.  It needs Debian's coturn.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { freePort, Server } from './lib/server.js';
import { until } from './lib/until.js';

const LATE_MS = 120_000; // the client itself waits for seconds, and for others
const CLIENTS = 2;

/** @type {Server} */
let server;
let port = 0;

before(async () => {
  port = await freePort(true);
  server = await Server.start({
    'turn.tls_listen': `127.0.0.1:${port}, [::1]:${port}`,
    'turn.users': 'e2e:secret',
    'turn.allow_peers': '127.0.0.0/8, ::1/128',
  });
});
after(() => server.close());

/**
 * @param {string[]} args
 * @returns {Promise<string>} what it printed
 */
function client(args) {
  return new Promise((resolve, reject) => {
    execFile('turnutils_uclient', args, { timeout: LATE_MS }, (error, stdout, stderr) => {
      const text = stdout + stderr;
      if (error) reject(new Error(`${args.join(' ')}: ${error.message}\n${text}`));
      else resolve(text);
    });
  });
}

/** @type {[string, string, number, string[]][]} */
const MODES = [
  ['channels', '127.0.0.1', 10, []],
  ['Send', '127.0.0.1', 10, ['-s']],
  ['long messages', '127.0.0.1', 10, ['-l', '1300']],
  ['many messages', '127.0.0.1', 300, ['-z', '5']],
  ['requests more than needed', '127.0.0.1', 10, ['-G']],
  ['requests that are wrong', '127.0.0.1', 10, ['-N']],
  ['IPv6 to the server', '::1', 10, []],
  ['IPv6, and relays of IPv6', '::1', 10, ['-x']],
];

test('what is sent by relays arrives', { concurrency: true }, async (all) => {
  await Promise.all(
    MODES.map(([name, host, messages, flags]) =>
      all.test(name, async () => {
        const text = await client([
          ...['-S', '-y', '-c', '-u', 'e2e', '-w', 'secret', '-p', `${port}`, ...flags],
          ...['-m', `${CLIENTS}`, '-n', `${messages}`, host],
        ]);
        const totals = [...text.matchAll(/tot_send_msgs=(\d+), tot_recv_msgs=(\d+)/g)].at(-1);
        assert.ok(totals, text);
        const [sent, received] = totals.slice(1).map(Number);
        assert.equal(sent, CLIENTS * messages, text);
        assert.equal(received, sent, text);
      }),
    ),
  );
});

test('it was DTLS, and strangers got a cookie before anything else', async () => {
  // The client's first is a probe, and it tries versions that are not spoken any more.
  const wanted = MODES.length * (CLIENTS + 1);
  const done = await server.metric('moim_dtls_handshakes_total{result="done"}');
  assert.equal(await server.metric('moim_turn_allocations_total{transport="dtls"}'), wanted);
  assert.equal(await server.metric('moim_turn_allocations_total{transport="udp"}'), 0);
  assert.ok(done >= wanted, `${done}`);
  assert.ok((await server.metric('moim_dtls_cookies_total')) >= done);
});

test('only the probes stay, which say no goodbye', async () => {
  await until(
    'the associations to go',
    async () => (await server.metric('moim_dtls_associations')) <= MODES.length,
    { seen: () => server.log },
  );
});

/** Meetings through the server on bad lines: what the simulation shows, with real browsers. */

import assert from 'node:assert/strict';
import { BadLine, whyNoNetem } from './lib/netem.js';
import { scenario } from './lib/scenario.js';
import { freePort } from './lib/server.js';
import { until } from './lib/until.js';

/**
 * Both pages' lines did harm in both directions. A page has a socket an interface, and may change
 * from one to the other while it goes on: two at least carry more than checks, and those that were
 * left lose nothing any more.
 * @param {BadLine} line
 */
function untilBothLose(line) {
  return until(
    'both lines to lose something',
    async () => {
      const { clients } = await line.counts();
      const lossy = clients.filter(({ up, down }) => down.sent > 100 && up.lost && down.lost);
      return lossy.length >= 2 && lossy;
    },
    { seen: () => line.counts() },
  );
}

/** Runs in the page, before it: nobody speaks of transport-wide feedback in its offers. */
function knowRembAlone() {
  const { prototype } = WebSocket;
  const { send } = prototype;
  prototype.send = function sendLess(data) {
    const lines = /a=[^\\]*transport-(?:wide-)?cc[^\\]*\\r\\n/g;
    send.call(this, typeof data === 'string' ? data.replaceAll(lines, '') : data);
  };
}

/** What the page's browser thinks that it may send, in bits/s. */
async function sendingRate() {
  const connection = window.moim.connection('sfu');
  for (const entry of (await connection?.getStats())?.values() ?? []) {
    if (entry.type === 'candidate-pair' && entry.availableOutgoingBitrate) {
      return entry.availableOutgoingBitrate;
    }
  }
  return 0;
}

const port = await freePort(true);
const SETTINGS = { workers: '1', 'rtc.port': String(port), 'rooms.topology': 'sfu' };

scenario(
  '5 % are lost, and 100 ms pass there and back',
  async (stage) => {
    const line = await BadLine.start(port, {
      up: 'at 0s delay 50ms loss 5%',
      down: 'at 0s delay 50ms loss 5%',
    });
    stage.after(() => line.close());
    const mina = await stage.person('Mina', { camera: 'small' });
    const jun = await stage.person('Jun', { camera: 'small' });
    for (const { page } of [mina, jun]) await line.carry(page);
    await stage.enter('lossy', [mina, jun]);
    for (const person of [mina, jun]) await person.isVia('sfu');
    await stage.allSeeAll([mina, jun]);
    const used = await untilBothLose(line);
    const sum = (/** @type {'lost' | 'sent'} */ count) =>
      used.reduce((total, { up }) => total + up[count], 0);
    assert.ok(sum('lost') < sum('sent') / 4);
  },
  SETTINGS,
  { skip: whyNoNetem },
);

scenario(
  'nothing gets through for a while, and then all goes on',
  async (stage) => {
    const line = await BadLine.start(port, { up: 'at 0s delay 10ms', down: 'at 0s delay 10ms' });
    stage.after(() => line.close());
    const mina = await stage.person('Mina', { camera: 'small' });
    const jun = await stage.person('Jun', { camera: 'small' });
    for (const { page } of [mina, jun]) await line.carry(page);
    await stage.enter('cut', [mina, jun]);
    await stage.allSeeAll([mina, jun]);
    for (const way of /** @type {const} */ (['up', 'down'])) {
      await line.be(way, 'at 0s block; at 3s open');
    }
    await untilBothLose(line);
    await stage.allSeeAll([mina, jun]);
  },
  SETTINGS,
  { skip: whyNoNetem },
);

scenario(
  'who knows of REMB alone stays below what its line takes, and sees what there is',
  async (stage) => {
    const line = await BadLine.start(port, {
      up: 'at 0s delay 20ms',
      down: 'at 0s delay 20ms',
    });
    stage.after(() => line.close());
    const mina = await stage.person('Mina', { camera: 'vga' });
    const jun = await stage.person('Jun', { camera: 'small' });
    for (const { page } of [mina, jun]) {
      await line.carry(page);
      await page.addInitScript(knowRembAlone);
    }
    await stage.enter('old', [mina, jun]);
    const rateBetween = (/** @type {number} */ least, /** @type {number} */ most) =>
      until(
        `a browser to send ${least} to ${most} bits/s`,
        async () => {
          const rate = await mina.page.evaluate(sendingRate);
          return rate > least && rate < most;
        },
        { seen: () => mina.page.evaluate(sendingRate) },
      );
    await stage.allSeeAll([mina, jun]);
    await rateBetween(350_000, Infinity);
    await line.be('up', 'at 0s rate 250k delay 20ms'); // what is too much waits, and is not lost
    await rateBetween(1, 250_000);
    await stage.allSeeAll([mina, jun]);
  },
  SETTINGS,
  { skip: whyNoNetem },
);

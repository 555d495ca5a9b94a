/** Meetings through the server on bad lines: what the simulation shows, with real browsers. */

import assert from 'node:assert/strict';
import { BadLine, whyNoNetem } from './lib/netem.js';
import { scenario } from './lib/scenario.js';
import { freePort } from './lib/server.js';
import { until } from './lib/until.js';

/** A browser has a socket an interface, of which one is used. @param {BadLine} line */
async function inUse(line) {
  return (await line.counts()).clients.filter(({ down }) => down.sent > 100);
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
    const used = await until('both lines to lose something', async () => {
      const lines = await inUse(line);
      return lines.length === 2 && lines.every(({ up, down }) => up.lost && down.lost) && lines;
    });
    for (const { up } of used) assert.ok(up.lost < up.sent / 4);
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
    await until('both lines to be cut', async () =>
      (await inUse(line)).every(({ up, down }) => up.lost && down.lost),
    );
    await stage.allSeeAll([mina, jun]);
  },
  SETTINGS,
  { skip: whyNoNetem },
);

/** Many who come at once to look at one cost that one no more key frames than a few. */

import assert from 'node:assert/strict';
import { come, lookAround } from './lib/crowd.js';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const VIEWERS = 20;
const KEYS_A_SECOND = 2;

/** Runs in the publisher's page: its key frames so far, of the layer that has the most. */
async function lookAtKeys() {
  // @ts-ignore - the page's own handle
  const { connection } = window.moim.ways.sfu;
  let keys = 0;
  for (const entry of (await connection.getStats()).values()) {
    if (entry.type === 'outbound-rtp') keys = Math.max(keys, entry.keyFramesEncoded ?? 0);
  }
  return { keys, at: performance.now() };
}

scenario(
  `${VIEWERS} who come at once cost at most ${KEYS_A_SECOND} key frames a second`,
  async (stage) => {
    const mina = await stage.person('Mina', { camera: 'small' });
    const jun = await stage.person('Jun', { camera: 'small' });
    await stage.enter('stage', [mina]);
    await mina.isVia('sfu');
    await until('Mina to send', async () => (await mina.ask(lookAtKeys)).keys > 0);
    await jun.open('/'); // a page from the server's origin, for the viewers
    const before = await mina.ask(lookAtKeys);
    await come(jun, { room: 'stage', count: VIEWERS, slots: 1 });
    const look = () => lookAround(jun);
    await until(
      'all viewers to see frames',
      async () =>
        (await look()).every(({ tracks }) => tracks.some(({ frames }) => frames > 0)),
      { seen: look },
    );
    const now = await mina.ask(lookAtKeys);
    const most = 1 + (KEYS_A_SECOND * (now.at - before.at)) / 1000;
    assert.ok(
      now.keys - before.keys <= most,
      `${now.keys - before.keys} key frames in ${Math.round(now.at - before.at)} ms`,
    );
  },
  { 'rooms.topology': 'sfu' },
);

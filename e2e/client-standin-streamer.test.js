/** Kind B, served by the SFU: a streamer uploads once, and any number of viewers see it. */

import assert from 'node:assert/strict';
import { openHouse, visit } from './clients/visit.js';
import { until } from './lib/until.js';

const house = openHouse({ config: 'standins.yaml' });
const CROWD = 20;
const FRAMES = 10;

/** @param {string} name */
async function stream(name) {
  const streamer = await house.guest(name, 'streamer.html');
  await streamer.reads('state', 'offered, all told');
  return streamer;
}

/** @param {string} name */
async function view(name) {
  const viewer = await house.guest(name, 'viewer.html');
  await viewer.reads('state', 'open');
  return viewer;
}

visit(house, 'an early viewer and a late one see the streamer', async () => {
  const early = await view('Early');
  const streamer = await stream('Streamer');
  await early.receives(1);
  const late = await view('Late');
  for (const viewer of [early, late]) await viewer.receives(1);
  assert.equal((await streamer.look()).made, 1, 'the streamer has one connection');
});

visit(house, 'the streamer comes back, and viewers need no new connection', async () => {
  const viewer = await view('Viewer');
  const streamer = await stream('Streamer');
  await viewer.receives(1);
  await streamer.page.reload();
  await streamer.reads('state', 'offered, all told');
  await viewer.receives(1);
  assert.equal((await viewer.look()).made, 1);
});

/**
 * The frames that each of the viewers in the window has decoded.
 * @param {import('./clients/guest.js').Guest} crowd
 * @returns {Promise<number[]>}
 */
function decoded(crowd) {
  const frames = crowd.page.frames().filter((frame) => frame !== crowd.page.mainFrame());
  return Promise.all(
    frames.map((frame) =>
      frame.evaluate(async () => {
        let sum = 0;
        // @ts-ignore - put there by noteConnections
        for (const connection of window.connectionsMade) {
          for (const entry of (await connection.getStats()).values()) {
            if (entry.type === 'inbound-rtp') sum += entry.framesDecoded ?? 0;
          }
        }
        return sum;
      }),
    ),
  );
}

visit(house, `${CROWD} viewers see one streamer, who uploads once`, async () => {
  const streamer = await stream('Streamer');
  const crowd = await house.guest('Crowd', 'crowd.html', { count: String(CROWD) });
  await until(
    `${CROWD} viewers to see the streamer`,
    async () => {
      const counts = await decoded(crowd);
      return counts.length === CROWD && counts.every((count) => count >= FRAMES);
    },
    { seen: () => decoded(crowd) },
  );
  assert.equal((await streamer.look()).made, 1);
  assert.equal(await house.server.metric('moim_standins'), CROWD + 1);
});

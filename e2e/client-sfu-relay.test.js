/**
 * Kind E in a network that lets out nothing but what goes to a relay: the server's own, which
 * brings it to the server's own media ports.
 */

import assert from 'node:assert/strict';
import { openHouse, visit } from './clients/visit.js';
import { until } from './lib/until.js';

const house = openHouse();
const FRAMES = 30;

/**
 * The page's connections use the server's relays, and nothing else.
 * @param {import('playwright-core').Page} page
 */
async function relayAll(page) {
  const { iceServers } = JSON.parse((await house.server.get('/api/v1/ice')).text);
  await page.addInitScript((servers) => {
    const Original = RTCPeerConnection;
    Object.assign(window, {
      RTCPeerConnection: class extends Original {
        /** @param {RTCConfiguration} [configuration] */
        constructor(configuration) {
          super({ ...configuration, iceServers: servers, iceTransportPolicy: 'relay' });
        }
      },
    });
  }, iceServers);
  return house.site.url;
}

/**
 * The kinds of their own candidates that the page's connections have settled on.
 * @param {import('./clients/guest.js').Guest} guest
 * @returns {Promise<string[]>}
 */
function kinds(guest) {
  return guest.page.evaluate(async () => {
    const found = [];
    // @ts-ignore - put there by noteConnections
    for (const connection of window.connectionsMade) {
      if (connection.connectionState === 'closed') continue;
      const stats = await connection.getStats();
      for (const { type, selectedCandidatePairId } of stats.values()) {
        if (type !== 'transport' || !selectedCandidatePairId) continue;
        found.push(stats.get(stats.get(selectedCandidatePairId).localCandidateId).candidateType);
      }
    }
    return found;
  });
}

visit(house, 'two see and hear each other over relays of the server', async () => {
  const people = [];
  for (const name of ['Mina', 'Ada']) {
    const guest = await house.guest(name, 'sfu.html', { room: 'relayed' }, {}, relayAll);
    await guest.reads('state', 'sending');
    people.push(guest);
  }
  for (const guest of people) {
    await until(
      `${guest.name} to see and hear another`,
      async () => {
        const { lines } = await guest.look();
        const isSeen = lines.some(([, { frames }]) => frames >= FRAMES);
        return isSeen && lines.some(([, { loudness }]) => loudness > 0);
      },
      { seen: () => guest.look() },
    );
    const found = await kinds(guest);
    assert.ok(found.length >= 2, 'one to send on, one to receive on');
    for (const kind of found) assert.equal(kind, 'relay');
  }
});

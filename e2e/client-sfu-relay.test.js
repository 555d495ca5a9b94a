/**
 * Kind E in a network that lets out nothing but what goes to a relay: the server's own, which
 * brings it to the server's own media ports.
 */

import assert from 'node:assert/strict';
import { receives, ways } from './clients/consumers.js';
import { openHouse, visit } from './clients/visit.js';

const house = openHouse();

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

visit(house, 'two see and hear each other over relays of the server', async () => {
  const people = [];
  for (const name of ['Mina', 'Ada']) {
    const guest = await house.guest(name, 'sfu.html', { room: 'relayed' }, {}, relayAll);
    await guest.reads('state', 'sending');
    people.push(guest);
  }
  for (const guest of people) {
    await receives(guest, 1);
    const found = await ways(guest);
    assert.ok(found.length >= 2, 'one to send on, one to receive on');
    for (const { type } of found) assert.equal(type, 'relay');
  }
});

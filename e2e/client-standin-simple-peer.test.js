/** Kind A with simple-peer, served by the SFU: a camera uploads once, whoever looks at it. */

import assert from 'node:assert/strict';
import { openHouse, visit } from './clients/visit.js';

const house = openHouse({ config: 'standins.yaml' });

/**
 * @param {string} name
 * @param {string} room
 * @param {'camera' | 'viewer'} as
 */
async function enter(name, room, as) {
  const guest = await house.guest(name, 'simple-peer.html');
  await guest.page.fill('#room', room);
  await guest.click(as);
  await guest.reads('state', as === 'camera' ? 'stream' : 'cam');
  return guest;
}

/**
 * On how many of its connections a page sends pictures.
 * @param {import('./clients/guest.js').Guest} guest
 * @returns {Promise<number>}
 */
function uploads(guest) {
  return guest.page.evaluate(async () => {
    let count = 0;
    // @ts-ignore - put there by noteConnections
    for (const connection of window.connectionsMade) {
      for (const entry of (await connection.getStats()).values()) {
        if (entry.type === 'outbound-rtp' && entry.kind === 'video') {
          count += entry.framesEncoded > 0 ? 1 : 0;
        }
      }
    }
    return count;
  });
}

visit(house, 'a camera and two who look at it, with simple-peer, upload once each', async () => {
  const door = await enter('Door', 'yard', 'camera');
  const mina = await enter('Mina', 'yard', 'viewer');
  for (const person of [door, mina]) await person.receives(1);
  const jun = await enter('Jun', 'yard', 'viewer');
  await jun.receives(1);
  await door.receives(2);
  for (const person of [door, mina, jun]) assert.equal(await uploads(person), 1);

  // The one on whose connection the camera uploads leaves: it goes on, for the other.
  house.guests.splice(house.guests.indexOf(mina), 1);
  await mina.page.context().close();
  await jun.receives(1);
  await door.receives(1);
});

/** Kind A, too: simple-peer 9.8 pages, whose offers are renamed on their way to answers. */

import { openHouse, visit } from './clients/visit.js';

const house = openHouse();

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

visit(house, 'a camera and two who look at it, with simple-peer', async () => {
  const door = await enter('Door', 'yard', 'camera');
  const mina = await enter('Mina', 'yard', 'viewer');
  for (const person of [door, mina]) await person.receives(1);
  const jun = await enter('Jun', 'yard', 'viewer');
  await jun.receives(1);
  await door.receives(2);
  await mina.receives(1);
});

/**
 * Kind A, served by the SFU: rooms of cameras over STOMP, in which each page makes a connection to
 * each of the others, and uploads on one of them alone.
 */

import assert from 'node:assert/strict';
import { openHouse, visit } from './clients/visit.js';
import { until } from './lib/until.js';

const OLD = 'cameras-stompjs2.html';
const NEW = 'cameras-stompjs7.html';

const house = openHouse({ config: 'standins.yaml' });

/**
 * @param {string} name
 * @param {string} page
 * @param {string} room
 */
async function enter(name, page, room) {
  const guest = await house.guest(name, page);
  await guest.page.fill('#room', room);
  await guest.click('enter');
  await guest.reads('state', 'entered');
  return guest;
}

/**
 * What each of a person's connections has sent of media, in packets.
 * @param {import('./clients/guest.js').Guest} guest
 * @returns {Promise<number[]>}
 */
function sent(guest) {
  return guest.page.evaluate(async () => {
    const counts = [];
    // @ts-ignore - put there by noteConnections
    for (const connection of window.connectionsMade) {
      let sum = 0;
      for (const entry of (await connection.getStats()).values()) {
        if (entry.type === 'outbound-rtp') sum += entry.packetsSent;
      }
      counts.push(sum);
    }
    return counts;
  });
}

/**
 * From now on media goes out on one connection of the person's, and on no other.
 * @param {import('./clients/guest.js').Guest} guest
 */
async function uploadsOnce(guest) {
  const before = await sent(guest);
  await until(
    `${guest.name} to upload`,
    async () => (await sent(guest)).some((count, i) => count >= (before[i] ?? 0) + 30),
    { seen: () => sent(guest) },
  );
  const now = await sent(guest);
  const busy = now.filter((count, i) => count > (before[i] ?? 0));
  assert.equal(busy.length, 1, `${guest.name} uploads once: ${before} then ${now}`);
}

visit(house, 'four in a room see and hear one another, and each uploads once', async () => {
  const people = [];
  for (const [name, page] of [
    ['Mina', OLD],
    ['Jun', OLD],
    ['Ada', NEW],
    ['Grace', OLD],
  ]) {
    people.push(await enter(name, page, 'four'));
  }
  await people[0].click('start');
  for (const person of people.slice(1)) await person.receives(1);
  await people[0].receives(3);
  await people[1].click('start');
  await people[1].receives(3);
  await people[2].click('start');
  for (const person of people) await person.receives(3);
  for (const person of people) await uploadsOnce(person);
});

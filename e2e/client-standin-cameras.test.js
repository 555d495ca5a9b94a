/**
 * Kind A, served by the SFU: rooms of cameras over STOMP, in which each page makes a connection to
 * each of the others, and uploads on one of them alone.
 */

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
 * What each of a person's connections has sent of media, in packets; of those that the far end has
 * closed nothing, for a page that does not care encodes into them, too.
 * @param {import('./clients/guest.js').Guest} guest
 * @returns {Promise<number[]>}
 */
function sent(guest) {
  return guest.page.evaluate(async () => {
    const counts = [];
    // @ts-ignore - put there by noteConnections
    for (const connection of window.connectionsMade) {
      let sum = 0;
      const isOpen = connection.getSenders()[0]?.transport?.state === 'connected';
      for (const entry of (await connection.getStats()).values()) {
        if (isOpen && entry.type === 'outbound-rtp') sum += entry.packetsSent;
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
  let before = await sent(guest);
  await until(
    `${guest.name} to upload on one connection`,
    async () => {
      const now = await sent(guest);
      const more = now.map((count, i) => count - (before[i] ?? 0)).filter((count) => count > 0);
      if (more.length > 1) before = now; // it goes over from one to another
      return more.length === 1 && more[0] >= 60;
    },
    { seen: () => sent(guest) },
  );
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

/**
 * How many frames others' pictures have shown in the page, each by its person's key.
 * @param {import('./clients/guest.js').Guest} guest
 * @param {string} key
 */
function shown(guest, key) {
  return guest.page.evaluate((id) => {
    const video = /** @type {HTMLVideoElement | null} */ (document.getElementById(id));
    return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
  }, key);
}

/**
 * @param {import('./clients/guest.js').Guest} guest
 * @param {import('./clients/guest.js').Guest} other
 */
async function seesOn(guest, other) {
  const key = await other.read('key');
  const before = await shown(guest, key);
  await until(`${guest.name} to see ${other.name}`, async () => {
    return (await shown(guest, key)) >= before + 10;
  });
}

visit(house, 'when the one on whose connection a page uploads leaves, it goes on', async () => {
  const mina = await enter('Mina', OLD, 'three');
  const jun = await enter('Jun', OLD, 'three');
  await mina.click('start');
  await mina.receives(1);
  const ada = await enter('Ada', OLD, 'three');
  await ada.click('start');
  for (const person of [mina, jun, ada]) await person.receives(2);
  house.guests.splice(house.guests.indexOf(jun), 1);
  await jun.page.context().close();
  await seesOn(mina, ada);
  await seesOn(ada, mina);
  for (const person of [mina, ada]) await uploadsOnce(person);
});

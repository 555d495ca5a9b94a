/**
 * Kind A: rooms of cameras that speak STOMP over SockJS, as written for a Spring broker. Old
 * libraries and new ones, in one room and in rooms that are none of each other's business.
 */

import assert from 'node:assert/strict';
import { openHouse, visit } from './clients/visit.js';

const OLD = 'cameras-stompjs2.html';
const NEW = 'cameras-stompjs7.html';

const house = openHouse();

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

visit(house, 'three in a room, with old and new libraries, see and hear one another', async () => {
  const mina = await enter('Mina', OLD, 'three');
  const jun = await enter('Jun', NEW, 'three');
  await mina.click('start');
  for (const person of [mina, jun]) await person.receives(1);
  const ada = await enter('Ada', OLD, 'three');
  await ada.click('start');
  for (const person of [ada, mina, jun]) await person.receives(2);
});

visit(house, 'two calls at once, in two rooms that never hear of each other', async () => {
  const here = [await enter('Mina', OLD, 'here'), await enter('Jun', OLD, 'here')];
  const there = [await enter('Ada', NEW, 'there'), await enter('Grace', NEW, 'there')];
  await here[0].click('start');
  for (const person of here) await person.receives(1);
  await there[0].click('start');
  for (const person of there) await person.receives(1);
  // Once more, so that all that went astray before would have come.
  for (const pair of [here, there]) {
    for (const [i, person] of pair.entries()) {
      await person.click('start');
      for (const each of pair) await each.reads('answers', String(i + 2));
    }
  }
  for (const pair of [here, there]) {
    for (const [i, person] of pair.entries()) {
      assert.equal(await person.read('others'), await pair[1 - i].read('key'));
      assert.equal((await person.look()).made, 1, 'one connection was made');
    }
  }
});

/** Kind E: rooms over Socket.IO, where the server says who of two is to offer. */

import { openHouse, visit } from './clients/visit.js';
import { until } from './lib/until.js';

const house = openHouse();

/**
 * @param {string} name
 * @param {string} room
 */
async function enter(name, room) {
  const guest = await house.guest(name, 'mesh.html', { room });
  await guest.reads('state', 'joined');
  return guest;
}

visit(house, 'two in a room see and hear each other, in two rooms at once', async () => {
  const people = [];
  for (const [name, room] of [
    ['Mina', 'one'],
    ['Ada', 'two'],
    ['Jun', 'one'],
    ['Grace', 'two'],
  ]) {
    people.push(await enter(name, room));
  }
  for (const person of people) await person.receives(1);
});

visit(house, 'who comes into a room that was left meets only who is there', async () => {
  const mina = await enter('Mina', 'again');
  // Who goes in between is missed only when the next ping stays without an answer.
  await until('the WebSocket to take over', () => mina.wentOver);
  await house.empty();
  const people = [await enter('Jun', 'again'), await enter('Ada', 'again')];
  for (const person of people) await person.receives(1);
});

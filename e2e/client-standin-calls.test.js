/**
 * Kinds C, D and E, served by the SFU: two who call each other, a third who comes, rooms. What the
 * pages know of one another goes through the server, and so does what they see.
 */

import assert from 'node:assert/strict';
import { openHouse, visit } from './clients/visit.js';

const house = openHouse({ config: 'standins.yaml' });

/**
 * @param {string} name
 * @param {string} page
 * @param {Record<string, string>} [wishes]
 */
async function come(name, page, wishes = {}) {
  const guest = await house.guest(name, page, wishes);
  await guest.reads('state', page === 'mesh.html' ? 'joined' : 'ready');
  return guest;
}

/** @param {import('./clients/guest.js').Guest[]} people */
async function haveOneConnectionEach(people) {
  for (const person of people) assert.equal((await person.look()).made, 1);
  assert.equal(await house.server.metric('moim_standins'), people.length);
}

for (const version of ['2', '4']) {
  visit(house, `two call each other with socket.io-client ${version}`, async () => {
    const people = [];
    for (const name of ['Mina', 'Jun']) {
      people.push(await come(name, 'pair-socketio.html', { version }));
    }
    await people[0].click('call');
    for (const person of people) await person.receives(1);
    await haveOneConnectionEach(people);
  });
}

visit(house, 'two call each other over a WebSocket, and one comes back', async () => {
  const mina = await come('Mina', 'pair-websocket.html');
  const jun = await come('Jun', 'pair-websocket.html');
  await mina.click('call');
  for (const person of [mina, jun]) await person.receives(1);
  await jun.page.reload();
  await jun.reads('state', 'ready');
  await jun.click('call');
  for (const person of [mina, jun]) await person.receives(1);
  await haveOneConnectionEach([mina, jun]);
});

visit(house, 'two who call each other at the same moment', async () => {
  const people = [];
  for (const name of ['Mina', 'Jun']) people.push(await come(name, 'pair-websocket.html'));
  await Promise.all(people.map((person) => person.click('call')));
  for (const person of people) await person.receives(1);
  await haveOneConnectionEach(people);
  // Whose click comes a moment after the other's call can't call: so it is with that page anywhere.
  const late = (/** @type {string} */ fault) => /state other than stable/.test(fault);
  assert.ok(people.filter(({ faults }) => faults.some(late)).length < 2, 'one of them has called');
  for (const person of people) person.faults = person.faults.filter((fault) => !late(fault));
});

visit(house, 'a third at a path for two sees somebody, and is seen', async () => {
  const people = [];
  for (const name of ['Mina', 'Jun', 'Ada']) people.push(await come(name, 'pair-websocket.html'));
  await people[0].click('call');
  for (const person of people) await person.receives(1);
  await haveOneConnectionEach(people);
});

visit(house, 'rooms over Socket.IO, of two and of three', async () => {
  const pair = [];
  for (const name of ['Mina', 'Jun']) pair.push(await come(name, 'mesh.html', { room: 'two' }));
  const three = [];
  for (const name of ['Ada', 'Grace', 'Jo']) {
    three.push(await come(name, 'mesh.html', { room: 'three' }));
  }
  for (const person of [...pair, ...three]) await person.receives(1);
  await haveOneConnectionEach([...pair, ...three]);
});

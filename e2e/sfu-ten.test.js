/** Ten in a room: each sends once, and receives nine. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';

const NAMES = [
  'Mina', '박준호', 'Ada Lovelace', '이서연', 'Jonas', 'Grace', '최유나', 'Linus', 'Barbara', 'Ken',
];

scenario('ten members see and hear one another through the server', async (stage) => {
  const people = [];
  for (const name of NAMES) people.push(await stage.person(name, { camera: 'tiny' }));
  await stage.enter('ten', people);
  for (const person of people) await person.isVia('sfu');
  await stage.allSeeAll(people);
  for (const { page } of people) assert.equal(page.isClosed(), false);
}, { 'rooms.topology': 'sfu' });

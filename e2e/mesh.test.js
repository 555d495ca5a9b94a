/** Media from browser to browser: every member sees every other's picture move, and hears them. */

import { scenario } from './lib/scenario.js';

const NAMES = ['Mina', '박준호', 'Ada Lovelace', '이서연'];

for (const count of [2, 4]) {
  scenario(`${count} members see and hear one another`, async (stage) => {
    const camera = count > 2 ? 'tiny' : undefined;
    const people = [];
    for (const name of NAMES.slice(0, count)) people.push(await stage.person(name, { camera }));
    await stage.enter('모임 1', people);
    for (const person of people) {
      await person.seesOnly(people.filter((other) => other !== person).map((other) => other.name));
    }
    await stage.allSeeAll(people);
  }, { 'rooms.topology': 'mesh' });
}

/** A room that is larger than what one worker is to have: its members' media is at two. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const NAMES = ['Mina', '박준호', 'Ada Lovelace', '이서연'];

/** Runs in the page: the port that its connection with the server goes to. */
async function lookAtPort() {
  // @ts-ignore - the page's own handle
  for (const { connection } of window.moim.ways.links()) {
    const stats = await connection.getStats();
    for (const entry of stats.values()) {
      if (entry.type !== 'candidate-pair' || entry.state !== 'succeeded') continue;
      const remote = stats.get(entry.remoteCandidateId);
      if (remote) return remote.port;
    }
  }
  return 0;
}

scenario('four members on two workers see and hear one another', async (stage) => {
  const people = [];
  for (const name of NAMES) people.push(await stage.person(name, { camera: 'small' }));
  await stage.enter('spread', people);
  for (const person of people) {
    await person.seesOnly(people.filter((other) => other !== person).map((other) => other.name));
    await person.isVia('sfu');
  }
  await stage.allSeeAll(people);
  const look = () => Promise.all(people.map((person) => person.ask(lookAtPort)));
  await until('each to be connected', async () => (await look()).every((port) => port > 0), {
    seen: look,
  });
  const ports = await look();
  assert.equal(new Set(ports).size, 2, `of two workers: ${ports}`);
}, { 'rooms.topology': 'sfu', 'rooms.spread_from': '2' });

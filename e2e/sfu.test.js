/** Media through the server: everybody sees and hears everybody else, and each sends once. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';

const NAMES = ['Mina', '박준호', 'Ada Lovelace', '이서연', 'Jonas', 'Grace'];

/** Runs in the page: RTP streams that go out, over all connections. */
async function lookAtUploads() {
  // @ts-ignore - the page's own handle
  const { ways } = window.moim;
  const kinds = { audio: 0, video: 0, connections: 0 };
  for (const { connection } of ways.links()) {
    kinds.connections += 1;
    const rids = new Set();
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type !== 'outbound-rtp' || !entry.packetsSent) continue;
      if (entry.kind === 'audio') kinds.audio += 1;
      else rids.add(entry.mid);
    }
    kinds.video += rids.size;
  }
  return kinds;
}

for (const count of [3, 6]) {
  scenario(`${count} members see and hear one another through the server`, async (stage) => {
    const people = [];
    for (const name of NAMES.slice(0, count)) {
      people.push(await stage.person(name, { camera: count > 3 ? 'small' : undefined }));
    }
    await stage.enter('모임 1', people);
    for (const person of people) {
      await person.seesOnly(people.filter((other) => other !== person).map((other) => other.name));
      await person.isVia('sfu');
    }
    await stage.allSeeAll(people);
    for (const person of people) {
      assert.deepEqual(await person.ask(lookAtUploads), { audio: 1, video: 1, connections: 1 });
    }
  });
}

/** Media through the server: everybody sees and hears everybody else, and each sends once. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const ADMIN = 'who may see how rooms are';
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

/**
 * What the server says of each member's connections.
 * @param {string} url
 * @param {string} room
 */
async function connectionsOf(url, room) {
  const headers = { Authorization: `Bearer ${ADMIN}` };
  const ask = async (/** @type {string} */ path) => (await fetch(url + path, { headers })).json();
  const where = `/api/v1/rooms/${encodeURIComponent(room)}`;
  const connections = [];
  for (const { id } of (await ask(where)).members) {
    connections.push(...(await ask(`${where}/members/${id}`)).connections);
  }
  return connections;
}

/**
 * As what the members' voices come to the server, as it says.
 * @param {string} url
 * @param {string} room
 */
async function codecsOfVoices(url, room) {
  return (await connectionsOf(url, room)).map(({ tracks }) => {
    const voice = tracks.find((/** @type {any} */ { source }) => source === 'microphone');
    return voice?.encodings[0]?.codec;
  });
}

/**
 * What the server believes of the lines to them.
 * @param {string} url
 * @param {string} room
 */
async function estimatesOf(url, room) {
  return (await connectionsOf(url, room)).map(({ estimate }) => estimate);
}

for (const count of [3, 6]) {
  scenario(`${count} members see and hear one another through the server`, async (stage) => {
    const people = [];
    for (const name of NAMES.slice(0, count)) {
      people.push(await stage.person(name, { camera: count > 3 ? 'tiny' : undefined }));
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
    // RFC 2198: what is lost on the way is in the next packet, too
    const look = () => codecsOfVoices(stage.server.url, '모임 1');
    await until('voices to come redundantly', async () => {
      const codecs = await look();
      return codecs.length === count && codecs.every((codec) => codec === 'red');
    }, { seen: look });
    // what browsers tell of each packet is heard, and a line as good as this one is not held back
    const estimates = () => estimatesOf(stage.server.url, '모임 1');
    await until('lines to be estimated', async () => {
      const seen = await estimates();
      return seen.length === count && seen.every((one) => one?.feedback
        && one.acknowledged_bps > 20000 && one.bps > one.acknowledged_bps / 2);
    }, { seen: estimates });
  }, { 'admin.token': ADMIN });
}

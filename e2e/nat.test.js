/**
 * Meetings of people in homes of their own, behind NATs and firewalls, with the server in public:
 * in a network that is made for each (lib/network.js). Nothing is set but the ports that firewalls
 * know: 443 for HTTPS, 3478 for TURN.
 */

import assert from 'node:assert/strict';
import { Certificate } from './lib/certificate.js';
import { SERVER_ADDRESS, whyNoNetwork } from './lib/network.js';
import { fates, NO_TURN, selectedPairs, wishServers } from './lib/relays.js';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const setting = { homes: 2, skip: await whyNoNetwork() };
const certificate = await Certificate.make(`IP:${SERVER_ADDRESS}`);

/** @typedef {Parameters<Parameters<typeof scenario>[1]>[0]} Stage */

/**
 * @param {Stage} stage
 * @param {import('./lib/network.js').Strictness} strictness of both NATs
 */
async function live(stage, strictness) {
  for (const home of stage.network?.homes ?? []) await home.be(strictness);
}

/**
 * One in each home.
 * @param {Stage} stage
 * @param {import('./lib/scenario.js').PersonOptions} [options]
 */
async function people(stage, options = { ignoreHTTPSErrors: true }) {
  return [
    await stage.person('Mina', { home: 0, ...options }),
    await stage.person('Jun', { home: 1, ...options }),
  ];
}

/**
 * @typedef {object} Way
 * @property {string} [lets] what the firewalls let out; all, if nothing is said
 * @property {string} [turn] the pages know only the servers with that
 * @property {string} protocol by which relays are then reached
 * @property {string} url
 */

/**
 * They meet, and by relays of that kind alone.
 * @param {Stage} stage
 * @param {Way} way
 * @param {import('./lib/scenario.js').PersonOptions} [options]
 */
async function meet(stage, { lets, turn = '', protocol, url }, options) {
  await live(stage, { lets });
  const all = await people(stage, options);
  for (const person of all) await wishServers(person, { turn });
  await stage.enter(url, all);
  await stage.allSeeAll(all);
  const pairs = (await Promise.all(all.map(selectedPairs))).flat();
  const relays = pairs.filter(({ type }) => type === 'relay');
  // One relay is enough where what the other side sends gets out to it.
  assert.ok(relays.length >= (lets ? 2 : 1), `${url} is not used: ${JSON.stringify(pairs)}`);
  for (const relay of relays) assert.deepEqual(relay, { type: 'relay', protocol, url });
  for (const { page } of all) await page.close();
}

/**
 * It has looked for a way to the other, and there is none.
 * @param {import('./lib/person.js').Person} person
 */
async function isAlone(person) {
  await until(
    `${person.name}'s connection to fail`,
    async () => (await fates(person)).some(({ states }) => states.includes('failed')),
    { seen: () => fates(person) },
  );
  for (const { states, candidates } of await fates(person)) {
    assert.ok(!states.includes('connected'), 'it has never been there');
    assert.ok(candidates.includes('srflx'), 'it has been told its address by STUN');
  }
}

scenario(
  'people meet through NATs that keep ports; through symmetric ones with relays alone',
  async (stage) => {
    const all = await people(stage);
    for (const person of all) await wishServers(person, { turn: NO_TURN });
    await live(stage, { symmetric: false });
    await stage.enter('direct', all);
    await stage.allSeeAll(all);

    await live(stage, { symmetric: true });
    await stage.enter('apart', all);
    await meet(stage, { protocol: 'udp', url: `turn:${SERVER_ADDRESS}:3478?transport=udp` });
    for (const person of all) await isAlone(person);
  },
  {},
  setting,
);

scenario(
  'where no UDP gets out, relays by TCP serve, and where port 443 alone does, those beside HTTPS',
  async (stage) => {
    await meet(stage, {
      lets: 'meta l4proto tcp',
      turn: ':3478',
      protocol: 'tcp',
      url: `turn:${SERVER_ADDRESS}:3478?transport=tcp`,
    });
    // The server's certificate is one that it made, and nobody trusts.
    await meet(stage, {
      lets: 'tcp dport 443',
      protocol: 'tcp',
      url: `turn:${SERVER_ADDRESS}:443?transport=tcp`,
    });
  },
  {},
  setting,
);

scenario(
  'where port 443 alone gets out, relays behind TLS serve as well',
  async (stage) => {
    const way = { protocol: 'tls', url: `turns:${SERVER_ADDRESS}:443?transport=tcp` };
    await meet(stage, { lets: 'tcp dport 443', turn: '^turns:', ...way }, { trusts: certificate });
  },
  certificate.settings,
  setting,
);

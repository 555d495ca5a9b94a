/** Where no UDP gets out, ICE-TCP carries the media to the server, without any relay. */

import assert from 'node:assert/strict';
import { whyNoNetwork } from './lib/network.js';
import { NO_TURN, selectedPairs, wishServers } from './lib/relays.js';
import { scenario } from './lib/scenario.js';

scenario(
  'where no UDP gets out, media goes to the server by TCP',
  async (stage) => {
    const all = [
      await stage.person('Mina', { home: 0, ignoreHTTPSErrors: true, camera: 'small' }),
      await stage.person('Jun', { home: 1, ignoreHTTPSErrors: true, camera: 'small' }),
    ];
    for (const home of stage.network?.homes ?? []) await home.be({ lets: 'meta l4proto tcp' });
    for (const person of all) await wishServers(person, { turn: NO_TURN });
    await stage.enter('tcp', all);
    await stage.allSeeAll(all);
    for (const person of all) {
      const pairs = await selectedPairs(person);
      assert.deepEqual(pairs.map(({ type }) => type === 'relay'), [false], JSON.stringify(pairs));
      assert.equal(pairs[0].protocol, 'tcp');
    }
  },
  { 'rooms.topology': 'sfu' },
  { homes: 2, skip: await whyNoNetwork() },
);

/**
 * Meetings of people whose browsers use nothing but relays: this server's, over UDP, TCP and TLS.
 * A Chromium meets a Firefox, so that both have a relay of each kind.
 *
 * A relay behind TLS is taken only with a certificate that is trusted, and nobody is asked: both
 * have stores with the authority that made it. (Without, both find no candidate: error 701.)
 */

import assert from 'node:assert/strict';
import { Certificate } from './lib/certificate.js';
import { selectedPairs, wishServers } from './lib/relays.js';
import { scenario } from './lib/scenario.js';

const certificate = await Certificate.make('DNS:localhost');

// All is on this machine, where relays send to nobody unless they may.
const settings = { 'turn.allow_peers': '127.0.0.0/8', ...certificate.settings };

const KINDS = {
  udp: '^turn:.*transport=udp',
  tcp: '^turn:.*transport=tcp',
  tls: '^turns:.*transport=tcp',
};

for (const [kind, turn] of Object.entries(KINDS)) {
  scenario(
    `a meeting over relays that are reached by ${kind.toUpperCase()}`,
    async (stage) => {
      const mina = await stage.person('Mina', { trusts: certificate });
      const jun = await stage.person('Jun', { trusts: certificate, firefox: true });
      for (const person of [mina, jun]) await wishServers(person, { turn, relaysAlone: true });
      await stage.enter('relayed', [mina, jun]);
      await stage.allSeeAll([mina, jun]);
      for (const person of [mina, jun]) {
        const pairs = await selectedPairs(person);
        assert.ok(pairs.length > 0, `${person.name} has a pair of candidates`);
        for (const { type, protocol } of pairs) {
          assert.deepEqual({ type, protocol }, { type: 'relay', protocol: kind });
        }
      }
    },
    settings,
  );
}

/** Meetings of people whose browsers use nothing but relays: this server's, over UDP and TCP. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';

// All is on this machine, where relays send to nobody unless they may.
const settings = { 'turn.allow_peers': '127.0.0.0/8' };

for (const transport of ['udp', 'tcp']) {
  scenario(
    `a meeting over relays that are reached by ${transport.toUpperCase()}`,
    async (stage) => {
      const mina = await stage.person('Mina');
      const jun = await stage.person('Jun');
      for (const { page } of [mina, jun]) await page.addInitScript(wishRelays, transport);
      await stage.enter('relayed', [mina, jun]);
      await stage.allSeeAll([mina, jun]);
      for (const person of [mina, jun]) {
        const pairs = await person.ask(selectedPairs);
        assert.ok(pairs.length > 0, `${person.name} has a pair of candidates`);
        for (const pair of pairs) {
          assert.deepEqual(pair, { type: 'relay', protocol: transport });
        }
      }
    },
    settings,
  );
}

/**
 * Runs in the page, before it: its connections use relays alone, reached by that transport.
 * @param {string} transport
 */
function wishRelays(transport) {
  const made = /** @type {RTCPeerConnection[]} */ ([]);
  const Real = window.RTCPeerConnection;
  /** @param {RTCConfiguration} [configuration] */
  const relayed = (configuration = {}) => ({
    ...configuration,
    iceTransportPolicy: /** @type {RTCIceTransportPolicy} */ ('relay'),
    iceServers: (configuration.iceServers ?? []).map((server) => ({
      ...server,
      urls: [server.urls]
        .flat()
        .filter((url) => !url.startsWith('turn') || url.endsWith(`transport=${transport}`)),
    })),
  });
  class Relayed extends Real {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(relayed(configuration));
      made.push(this);
    }

    /** @param {RTCConfiguration} [configuration] */
    setConfiguration(configuration) {
      super.setConfiguration(relayed(configuration));
    }
  }
  window.RTCPeerConnection = Relayed;
  Object.assign(window, { relayedConnections: made });
}

/** Runs in the page: how it reaches the others. */
async function selectedPairs() {
  const { relayedConnections } = /** @type {any} */ (window);
  const pairs = [];
  for (const connection of relayedConnections) {
    const reports = new Map();
    for (const report of (await connection.getStats()).values()) reports.set(report.id, report);
    for (const report of reports.values()) {
      if (report.type !== 'transport' || !report.selectedCandidatePairId) continue;
      const pair = reports.get(report.selectedCandidatePairId);
      const local = reports.get(pair.localCandidateId);
      pairs.push({ type: local.candidateType, protocol: local.relayProtocol });
    }
  }
  return pairs;
}

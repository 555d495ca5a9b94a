/** Kind E in a network that lets no UDP through: media goes over ICE-TCP, at the same port. */

import assert from 'node:assert/strict';
import { openHouse, visit } from './clients/visit.js';
import { until } from './lib/until.js';

const house = openHouse();
const FRAMES = 30;

/**
 * The pairs over which the page's connections go.
 * @param {import('./clients/guest.js').Guest} guest
 * @returns {Promise<{ state: string, protocol: string, tcpType?: string }[]>}
 */
function ways(guest) {
  return guest.page.evaluate(async () => {
    const found = [];
    // @ts-ignore - put there by noteConnections
    for (const connection of window.connectionsMade) {
      if (connection.connectionState === 'closed') continue;
      const stats = await connection.getStats();
      for (const { type, selectedCandidatePairId } of stats.values()) {
        if (type !== 'transport' || !selectedCandidatePairId) continue;
        const { protocol, tcpType } = stats.get(
          stats.get(selectedCandidatePairId).localCandidateId,
        );
        found.push({ state: connection.connectionState, protocol, tcpType });
      }
    }
    return found;
  });
}

/**
 * What a page is told of UDP never comes to its browser, which so has nowhere to send any.
 * @param {import('playwright-core').Page} page
 */
async function forbidUdp(page) {
  await page.addInitScript(() => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (description) {
      const sdp = (description?.sdp ?? '').replaceAll(/a=candidate:\S+ \d+ udp .*\r\n/gi, '');
      return set.call(this, /** @type {RTCSessionDescriptionInit} */ ({ ...description, sdp }));
    };
  });
  return house.site.url;
}

visit(house, 'two see and hear each other by TCP alone', async () => {
  const people = [];
  for (const name of ['Mina', 'Ada']) {
    const guest = await house.guest(name, 'sfu.html', { room: 'tcp' }, {}, forbidUdp);
    await guest.reads('state', 'sending');
    people.push(guest);
  }
  let count = 0;
  for (const guest of people) {
    await until(
      `${guest.name} to see and hear another`,
      async () => {
        const { lines } = await guest.look();
        const isSeen = lines.some(([, { frames }]) => frames >= FRAMES);
        return isSeen && lines.some(([, { loudness }]) => loudness > 0);
      },
      { seen: () => guest.look() },
    );
    const found = await ways(guest);
    assert.ok(found.length >= 2, 'one to send on, one to receive on');
    count += found.length;
    for (const way of found) {
      assert.deepEqual(way, { state: 'connected', protocol: 'tcp', tcpType: 'active' });
    }
  }
  // Those to the server's other addresses stay open beside the ones that are used.
  assert.ok((await house.server.metric('moim_rtc_streams')) >= count);
  assert.equal(await house.server.metric('moim_rtc_runs_total'), 0, 'nothing went by UDP');
});

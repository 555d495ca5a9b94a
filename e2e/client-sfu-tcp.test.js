/** Kind E in a network that lets no UDP through: media goes over ICE-TCP, at the same port. */

import assert from 'node:assert/strict';
import { receives, ways } from './clients/consumers.js';
import { openHouse, visit } from './clients/visit.js';

const house = openHouse();

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
    await receives(guest, 1);
    const found = await ways(guest);
    assert.ok(found.length >= 2, 'one to send on, one to receive on');
    count += found.length;
    for (const { state, protocol, tcpType } of found) {
      assert.deepEqual([state, protocol, tcpType], ['connected', 'tcp', 'active']);
    }
  }
  // Those to the server's other addresses stay open beside the ones that are used.
  assert.ok((await house.server.metric('moim_rtc_streams')) >= count);
  assert.equal(await house.server.metric('moim_rtc_runs_total'), 0, 'nothing went by UDP');
});

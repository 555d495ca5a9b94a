/** A Firefox and a Chromium at pages that call each other, served by the SFU. */

import { openHouse, visit } from './clients/visit.js';
import { launchFirefox } from './lib/browsers.js';
import { until } from './lib/until.js';

const house = openHouse({ config: 'standins.yaml', apart: true });
const FRAMES = 10;

/** Runs in the page before its own scripts. */
function noteConnections() {
  const Original = RTCPeerConnection;
  const made = /** @type {RTCPeerConnection[]} */ ([]);
  Object.assign(window, {
    connectionsMade: made,
    RTCPeerConnection: class extends Original {
      /** @param {RTCConfiguration} [settings] */
      constructor(settings) {
        super(settings);
        made.push(this);
      }
    },
  });
}

/** Runs in the page: the frames that it has decoded. */
async function decoded() {
  let frames = 0;
  // @ts-ignore - put there by noteConnections
  for (const connection of window.connectionsMade) {
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp') frames += entry.framesDecoded ?? 0;
    }
  }
  return frames;
}

for (const caller of ['Firefox', 'Chromium']) {
  visit(house, `${caller} calls, and both see`, async () => {
    const browser = await launchFirefox();
    house.afterwards(() => browser.close());
    const jun = await browser.newPage();
    await jun.evaluateOnNewDocument(noteConnections);
    await jun.goto(house.site.url + house.pagePath('pair-websocket.html'));
    const mina = await house.guest('Mina', 'pair-websocket.html');
    await mina.reads('state', 'ready');
    await until('Firefox to be ready', () =>
      jun.evaluate(() => document.getElementById('state')?.textContent === 'ready'),
    );
    if (caller === 'Firefox') await jun.click('#call');
    else await mina.click('call');
    await until('Firefox to see', async () => (await jun.evaluate(decoded)) >= FRAMES);
    await mina.receives(1);
  });
}

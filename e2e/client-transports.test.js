/**
 * Each of SockJS's ways, forced, one after the other: two people talk STOMP over it, one with
 * sockjs-client 1.5 and stompjs 2.3, the other with sockjs-client 1.6 and @stomp/stompjs 7. What
 * they say is more than a streaming response may hold, so that streams are renewed on the way.
 */

import assert from 'node:assert/strict';
import { libraryFile } from './clients/site.js';
import { openHouse, visit } from './clients/visit.js';
import { until } from './lib/until.js';

const OLD = ['sockjs-1.5', 'stompjs-2.3'];
const NEW = ['sockjs-1.6', 'stompjs-7'];
const LONG = 40_000; // bytes
const LINES = 5;

const house = openHouse({ apart: true });

/**
 * @param {string} transport
 * @param {string[]} libraries
 * @param {boolean} [isBroken] WebSockets don't get through
 */
async function enter(transport, libraries, isBroken = false) {
  const wishes = { transport, libraries: libraries.join(' ') };
  const guest = await house.guest(libraries.join(), 'talk.html', wishes, {}, async (page) => {
    // What the page of an iframe loads, from where there is no network; and the page itself at
    // moim's own origin, for the one way that never goes to another.
    await page.route(/^https:.*\/sockjs.*\.js$/, (route) =>
      route.fulfill({ path: libraryFile(/** @type {any} */ (`${libraries[0]}.js`)) }),
    );
    if (isBroken) await page.routeWebSocket(/\/signaling\//, (socket) => socket.close());
    if (transport !== 'htmlfile') return house.site.url;
    await page.route(/localhost:\d+\/(pages|npm)\//, async (route) => {
      const { pathname, search } = new URL(route.request().url());
      const url = house.site.url + pathname + search;
      await route.fulfill({ response: await route.fetch({ url }) });
    });
    return house.server.url;
  });
  await guest.reads('state', 'online');
  return guest;
}

/**
 * How many such requests the page and its frames have made since.
 * @param {import('playwright-core').Page} page
 * @param {RegExp} where
 */
function countAsked(page, where) {
  let count = 0;
  page.on('request', (request) => {
    if (where.test(request.url())) count += 1;
  });
  return () => count;
}

/** @param {import('./clients/guest.js').Guest} guest */
const heard = (guest) =>
  guest.page.evaluate(() =>
    [...document.querySelectorAll('#heard li')].map((line) => line.textContent ?? ''),
  );

/**
 * They say lines by turns, and both hear all of them, once and in order; then they leave.
 * @param {import('./clients/guest.js').Guest[]} people
 */
async function talk(people) {
  /** @type {string[]} */
  const said = [];
  for (let i = 0; i < LINES; i += 1) {
    const line = `${i} 모임 🦊 \\ " \u2028 ${'x'.repeat(LONG)}`;
    said.push(line);
    // @ts-ignore - the page's own
    await people[i % 2].page.evaluate((text) => say(text), line);
    for (const person of people) {
      await until(
        `${person.name} to hear line ${i}`,
        async () => (await heard(person)).length > i,
      );
    }
  }
  for (const person of people) assert.deepEqual(await heard(person), said);
}

/** @param {import('./clients/guest.js').Guest[]} people */
async function allLeave(people) {
  for (const person of people) {
    // @ts-ignore - the page's own
    await person.page.evaluate(() => leave());
    await person.reads('state', 'left');
  }
}

for (const [transport, where] of [
  ['websocket', /\/websocket$/],
  ['xhr-streaming', /\/xhr_streaming/],
  ['eventsource', /\/eventsource/],
  ['iframe-eventsource', /\/eventsource/],
  ['htmlfile', /\/htmlfile/],
  ['iframe-htmlfile', /\/htmlfile/],
  ['xhr-polling', /\/xhr(\?|$)/],
  ['iframe-xhr-polling', /\/xhr(\?|$)/],
  ['jsonp-polling', /\/jsonp\?/],
]) {
  visit(house, `SockJS over ${transport}: all is heard, once and in order`, async () => {
    const people = [await enter(String(transport), OLD), await enter(String(transport), NEW)];
    const asked = people.map(({ page }) => countAsked(page, new RegExp(where)));
    await talk(people);
    if (transport !== 'websocket') {
      // Polls come one after the other, and streams when the one before is full.
      for (const count of asked) assert.ok(count() > 0, `more requests over ${transport}`);
    }
    await allLeave(people);
  });
}

visit(house, 'where no WebSocket gets through, sockjs-client finds another way', async () => {
  const people = [await enter('any', OLD, true), await enter('any', NEW, true)];
  await talk(people);
  for (const { sockets } of people) assert.deepEqual(sockets, []);
  await allLeave(people);
});

visit(house, 'STOMP over WebSockets without SockJS', async () => {
  const people = [await enter('raw', OLD), await enter('raw', NEW)];
  await talk(people);
  await allLeave(people);
  const others = [await enter('bare', OLD), await enter('bare', NEW)];
  await talk(others);
  await allLeave(others);
});

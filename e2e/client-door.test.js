/**
 * The CCTV door, asked from pages of another origin: a long poll is answered when somebody asks to
 * see a camera, another when somebody has left.
 */

import assert from 'node:assert/strict';
import { Mobile } from './clients/mobile.js';
import { openHouse, visit } from './clients/visit.js';
import { until } from './lib/until.js';

const house = openHouse();
const host = () => `localhost:${house.server.ports.http}`;

/** @param {object} data */
const answerWith = (data) => ({
  status_code: 200,
  error_code: null,
  result: 'SUCCESS',
  message: null,
  data,
  error: null,
});

/** A page that can ask; its answers are noted down in it. @param {string} name */
async function visitor(name) {
  const guest = await house.guest(name, 'door.html');
  return {
    /** @param {string} path */
    poll: (path) =>
      guest.page.evaluate((url) => {
        const answers = /** @type {unknown[]} */ ([]);
        // @ts-ignore - for `heard`
        window.answers = answers;
        fetch(url).then(async (response) => answers.push(await response.json()));
      }, `http://${host()}${path}`),
    /** @returns {Promise<unknown[]>} */
    // @ts-ignore - see `poll`
    heard: () => guest.page.evaluate(() => window.answers),
    /** @param {string} path @param {object} body */
    post: (path, body) =>
      guest.page.evaluate(
        async ([url, text]) => {
          const headers = { 'content-type': 'application/json' };
          const response = await fetch(url, { method: 'POST', headers, body: text });
          return response.status;
        },
        [`http://${host()}${path}`, JSON.stringify(body)],
      ),
  };
}

/** @param {Awaited<ReturnType<typeof visitor>>} page @param {unknown} answer */
async function hears(page, answer) {
  await until('an answer', async () => (await page.heard()).length > 0);
  assert.deepEqual(await page.heard(), [answer]);
}

/** Polls are held now. @param {number} count */
function held(count) {
  return until(`${count} polls to wait`, async () => {
    return (await house.server.metric('moim_door_waits')) === count;
  });
}

visit(house, 'who waits for visitors is told, in that room alone', async () => {
  const [camera, elsewhere, viewer] = [
    await visitor('Camera'),
    await visitor('Elsewhere'),
    await visitor('Viewer'),
  ];
  await camera.poll('/poll/enter/room/yard');
  await elsewhere.poll('/poll/enter/room/attic');
  await held(2);
  assert.equal(await viewer.post('/receive-events/enter/room/yard', { camKey: 'cam-1' }), 200);
  await hears(camera, answerWith({ roomId: 'yard', camKey: 'cam-1' }));
  assert.deepEqual(await elsewhere.heard(), []);
  await held(1);
});

visit(house, 'who waits for the end is told how many are left', async () => {
  const camera = await visitor('Camera');
  const phones = [];
  for (const camKey of ['cam-1', 'cam-2']) {
    const phone = new Mobile(host());
    house.afterwards(() => phone.vanish());
    await phone.connect({ roomId: 'gate', camKey });
    phones.push(phone);
  }
  await camera.poll('/poll/leave/room/gate');
  await held(1);
  await phones[0].leave();
  await hears(camera, answerWith({ camKey: 'cam-1', roomCount: '1' }));
  await camera.poll('/poll/leave/room/gate');
  await held(1);
  phones[1].vanish();
  await hears(camera, answerWith({ camKey: 'cam-2', roomCount: 'null' }));
});

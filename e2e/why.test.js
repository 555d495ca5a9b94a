/**
 * Why it looks bad, as the server says it and the page shows it: on a narrow line, in a small
 * window, and when pictures are not wanted at all.
 */

import assert from 'node:assert/strict';
import { BadLine, whyNoNetem } from './lib/netem.js';
import { scenario } from './lib/scenario.js';
import { freePort } from './lib/server.js';
import { LIMIT_MS, until } from './lib/until.js';

const ADMIN = 'who may see how rooms are';
const port = await freePort(true);
const SETTINGS = {
  workers: '1',
  'rtc.port': String(port),
  'rooms.topology': 'sfu',
  'admin.token': ADMIN,
};

/**
 * What the server says of the member of that name.
 * @param {string} url
 * @param {string} room
 * @param {string} name
 */
async function whyOf(url, room, name) {
  const headers = { Authorization: `Bearer ${ADMIN}` };
  const where = `${url}/api/v1/rooms/${room}`;
  const { members } = await (await fetch(where, { headers })).json();
  const member = members.find((/** @type {any} */ other) => other.name === name);
  const answer = await fetch(`${where}/members/${member.id}/why`, { headers });
  assert.equal(answer.status, 200);
  return answer.json();
}

/**
 * The server says so of the only picture that the member is sent.
 * @param {string} url
 * @param {string} room
 * @param {string} name
 * @param {(picture: any, why: any) => boolean} holds
 */
function untilPicture(url, room, name, holds) {
  return until(
    `the picture that ${name} is sent`,
    async () => {
      const why = await whyOf(url, room, name);
      return why.received.length === 1 && holds(why.received[0], why);
    },
    // A browser that has no processor to itself takes long before it sends its larger layers.
    { limitMs: 3 * LIMIT_MS, seen: async () => JSON.stringify(await whyOf(url, room, name)) },
  );
}

scenario(
  'a narrow line is named, on the tile and in the panel, and forgotten when it is wide again',
  async (stage) => {
    const line = await BadLine.start(port, { up: 'at 0s delay 10ms', down: 'at 0s delay 10ms' });
    stage.after(() => line.close());
    const mina = await stage.person('Mina', { camera: 'small' });
    const jun = await stage.person('Jun', { camera: 'small' });
    await line.carry(mina.page);
    await stage.enter('narrow', [mina, jun]);
    await stage.allSeeAll([mina, jun]);
    await line.be('down', 'at 0s rate 100k queue 300ms');
    await untilPicture(
      stage.url,
      'narrow',
      'Mina',
      ({ verdict }, { receiving }) => verdict === 'downlink' && receiving === 'downlink',
    );
    await mina.seesTile('Jun', { state: 'poor', verdict: 'downlink' });
    await mina.click('stats-toggle');
    await mina.reads('why', /Your connection is too slow/);
    await mina.reads('why-pictures', /Jun.*Held back by your connection/);
    // it is hers: he is not told that his line is weak
    assert.notEqual((await whyOf(stage.url, 'narrow', 'Jun')).receiving, 'downlink');
    await line.be('down', 'at 0s rate none queue none');
    await mina.seesTile('Jun', { state: 'connected', verdict: '' });
    await mina.reads('why', /as good as it can/);
  },
  SETTINGS,
  { skip: whyNoNetem },
);

scenario(
  'in a small window no more is sent than it needs',
  async (stage) => {
    const window = { width: 260, height: 280 };
    const mina = await stage.person('Mina', { camera: 'tiny', viewport: window });
    const jun = await stage.person('Jun');
    // They have one device: who opens it first has it as large as wished.
    await stage.enter('small', [jun, mina]);
    await stage.allSeeAll([mina, jun]);
    await untilPicture(
      stage.url,
      'small',
      'Mina',
      ({ verdict, on }) => verdict === 'window' && on,
    );
    await mina.click('stats-toggle');
    await mina.reads('why', /as good as it can/);
    await mina.reads('why-pictures', /Jun.*As sharp as its size needs/);
  },
  SETTINGS,
);

scenario(
  'who is left out by the room has a face, and words',
  async (stage) => {
    const people = [];
    for (const name of ['Mina', 'Jun', 'Ada']) {
      people.push(await stage.person(name, { camera: 'tiny' }));
    }
    await stage.enter('few', people);
    for (const person of people) {
      // One of three is shown: of the two others one at least is not.
      await until(
        `${person.name} to read why somebody is not shown`,
        () =>
          person.ask(() =>
            [...document.querySelectorAll('[data-testid="tile"][data-verdict="policy"]')].some(
              (tile) =>
                tile.querySelector('.tile-status')?.textContent === 'Shown when they speak' &&
                !tile.classList.contains('has-picture'),
            ),
          ),
        { seen: () => person.tiles() },
      );
    }
  },
  { ...SETTINGS, 'rooms.last_n': '1' },
);

for (const topology of ['sfu', 'mesh']) {
  scenario(
    `who wants sound alone gets no pictures, until it wants them again (${topology})`,
    async (stage) => {
      const mina = await stage.person('Mina', { camera: 'small' });
      const jun = await stage.person('Jun', { camera: 'small' });
      await stage.enter('quiet', [mina, jun]);
      await stage.allSeeAll([mina, jun]);
      await mina.click('settings-toggle');
      await mina.click('audio-only');
      await mina.page.keyboard.press('Escape');
      await mina.sees('audio-only-bar');
      await isStill(mina, 'Jun');
      await mina.hears(['Jun']);
      await jun.seesMoving(['Mina']);
      // also when she comes again
      await mina.page.reload();
      await mina.enter('quiet');
      await mina.sees('audio-only-bar');
      await mina.hears(['Jun']);
      await isStill(mina, 'Jun');
      await mina.click('audio-only-back');
      await mina.seesNo('audio-only-bar');
      await stage.allSeeAll([mina, jun]);
    },
    { ...SETTINGS, 'rooms.topology': topology },
  );
}

/**
 * No picture of that member comes any more: of what has come nothing is added for a while.
 * @param {import('./lib/person.js').Person} person
 * @param {string} name
 */
async function isStill(person, name) {
  let before = -1;
  let same = 0;
  await until(
    `${name}'s picture to stand still at ${person.name}`,
    async () => {
      const { frames } = (await person.pictures())[name];
      same = frames === before ? same + 1 : 0;
      before = frames;
      return same >= 10;
    },
    { seen: () => person.pictures() },
  );
}

/** What nobody looks at is not sent: pictures' encodings stop, and come back. */

import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const SETTINGS = { 'rooms.topology': 'sfu' };
const SMALL = { width: 360, height: 420 };
const LARGE = { width: 1600, height: 1000 };

/** Runs in the page: which encodings of the camera send pictures, for a second. */
async function sent() {
  const count = async () => {
    const frames = new Map();
    // @ts-ignore - the page's own handle
    const { connection } = window.moim.ways.sfu;
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'outbound-rtp' && entry.kind === 'video') {
        frames.set(entry.rid, entry.framesSent ?? entry.framesEncoded ?? 0);
      }
    }
    return frames;
  };
  const before = await count();
  await new Promise((resolve) => { setTimeout(resolve, 1000); });
  const after = await count();
  const grown = [...after].filter(([rid, frames]) => frames > (before.get(rid) ?? 0));
  return ['l', 'm', 'h'].filter((rid) => grown.some(([one]) => one === rid)).join('');
}

/**
 * @param {import('./lib/person.js').Person} person
 * @param {(rids: string) => boolean} is
 * @param {string} what
 */
const untilSends = (person, is, what) =>
  until(`${person.name} sends ${what}`, async () => is(await person.ask(sent)),
    { seen: () => person.ask(sent) });

/** Runs in the page: how wide the pictures are that come in. */
const widths = () => [...document.querySelectorAll('video')].map((video) => video.videoWidth);

for (const firefox of [false, true]) {
  const name = firefox ? 'Firefox' : 'Chromium';
  scenario(`${name} sends what is looked at`, async (stage) => {
    const mina = await stage.person('Mina', { firefox });
    const jun = await stage.person('Jun', { camera: 'small' });
    await stage.enter('looked at', [mina]);
    await untilSends(mina, (rids) => rids === '', 'nothing, being alone');

    await stage.enter('looked at', [jun]);
    await jun.seesMoving(['Mina']);
    await jun.page.setViewportSize(LARGE);
    await untilSends(mina, (rids) => rids.length > 1, 'more than one encoding');

    await jun.page.setViewportSize(SMALL);
    await untilSends(mina, (rids) => rids === 'l', 'the smallest alone');
    await jun.seesMoving(['Mina']);

    await jun.page.setViewportSize(LARGE);
    await untilSends(mina, (rids) => rids.length > 1, 'more than one again');
    await jun.seesMoving(['Mina']);
  }, SETTINGS);
}

scenario('a small camera is sent in its own size', async (stage) => {
  const mina = await stage.person('Mina', { camera: 'vga' });
  const jun = await stage.person('Jun', { camera: 'small' });
  await jun.page.setViewportSize(LARGE);
  await stage.enter('small cameras', [mina, jun]);
  await until('Jun sees all of Mina', async () => (await jun.ask(widths)).includes(640),
    { seen: () => jun.ask(widths) });
  await until('Mina sees all of Jun', async () => (await mina.ask(widths)).includes(160),
    { seen: () => mina.ask(widths) });
}, SETTINGS);

/**
 * Whoever can't use a mouse, or can't see the page, is in the meeting all the same. Rules of our
 * own, each on the page in its various states, in both languages, light and dark.
 */

import assert from 'node:assert/strict';
import { checkContrast, checkNames, checkTargets, focusWalk } from './lib/access.js';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

/**
 * @param {import('./lib/person.js').Person} person
 * @param {string} where
 */
async function checkAll(person, where) {
  await checkNames(person, where);
  await checkContrast(person, where);
  await checkTargets(person, where);
}

for (const [locale, colorScheme] of /** @type {const} */ ([
  ['en-US', 'light'],
  ['ko-KR', 'dark'],
])) {
  scenario(
    `every control has a name, contrast and size (${locale}, ${colorScheme})`,
    async (stage) => {
      const phone = { width: 390, height: 844 };
      const mina = await stage.person('Mina', { locale, colorScheme });
      await mina.open('/r/access');
      await mina.isReady();
      assert.equal(await mina.ask(() => document.documentElement.lang), locale.slice(0, 2));
      await checkAll(mina, 'lobby');
      await mina.page.setViewportSize(phone);
      await checkAll(mina, 'lobby on a phone');
      await mina.enter('access');
      await checkAll(mina, 'alone on a phone');

      const jun = await stage.person('Jun', { locale, colorScheme, camera: 'small' });
      await jun.enter('access');
      await jun.click('hand');
      await jun.click('mic');
      await jun.click('cam');
      await jun.say('hello https://example.org/ there');
      await mina.seesTile('Jun', { hand: 'true', audio: 'false', video: 'false' });
      await checkAll(mina, 'with another on a phone');
      await mina.page.setViewportSize({ width: 1000, height: 700 });
      await mina.click('chat-toggle');
      await checkAll(mina, 'chat');
      await mina.click('stats-toggle');
      await checkAll(mina, 'statistics');
      await mina.click('settings-toggle');
      await checkAll(mina, 'settings');
      await mina.page.keyboard.press('Escape');
      await stage.server.stop();
      await mina.sees('banner');
      await checkAll(mina, 'server away');
      await mina.click('leave');
      await mina.sees('rejoin');
      await checkAll(mina, 'after leaving');
    },
  );
}

scenario('with the keyboard alone one joins, speaks, writes and leaves', async (stage) => {
  const jun = await stage.person('Jun', { camera: 'small' });
  await jun.enter('keys');
  const mina = await stage.person('Mina', { camera: 'small' });
  const { keyboard } = mina.page;
  await mina.open('/r/keys');
  await mina.isReady();
  await until('the cursor to stand in the name', () => {
    return mina.ask(() => document.activeElement?.getAttribute('data-testid') === 'lobby-name');
  });
  await keyboard.type('Mina');
  await keyboard.press('Enter');
  await mina.sees('leave');
  await jun.seesTile('Mina', { audio: 'true', video: 'true', hand: 'false' });

  await keyboard.press('Control+d');
  await keyboard.press('Control+e');
  await keyboard.press('Alt+h');
  await jun.seesTile('Mina', { audio: 'false', video: 'false', hand: 'true' });
  await keyboard.press('Alt+c');
  await keyboard.type('by keys');
  await keyboard.press('Enter');
  await jun.hasChat(['by keys']);
  await keyboard.press('Escape');
  await mina.seesNo('chat-input');

  const walk = await focusWalk(mina, 'leave');
  assert.deepEqual(walk.at(-1), 'leave', `Tab reaches "leave": ${walk.join(', ')}`);
  await keyboard.press('Enter');
  await mina.sees('rejoin');
  await jun.seesOnly([]);
});

scenario('Tab goes the way the eye goes, and always shows where it is', async (stage) => {
  const mina = await stage.person('Mina');
  await mina.open('/r/order');
  await mina.isReady();
  assert.deepEqual(
    (await focusWalk(mina)).filter((hook) => !hook.endsWith('-select')),
    ['mic', 'cam', 'lobby-name', 'lobby-room', 'lobby-join'],
  );
  await mina.enter('order');
  assert.deepEqual(await focusWalk(mina), [
    'copy-link',
    'stats-toggle',
    'settings-toggle',
    'invite-copy',
    'mic',
    'cam',
    'screen',
    'hand',
    'chat-toggle',
    'leave',
  ]);
});

scenario('what happens is said aloud', async (stage) => {
  const mina = await stage.person('Mina', { camera: 'small' });
  await mina.enter('aloud');
  const live = await mina.ask(() =>
    Object.fromEntries(
      [...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')].map(
        (region) => [
          /** @type {HTMLElement} */ (region).dataset.testid,
          region.getAttribute('aria-live') ?? region.getAttribute('role'),
        ],
      ),
    ),
  );
  assert.equal(live.announcer, 'polite');
  assert.equal(live.banner, 'status');

  const said = () => mina.ask(() => document.querySelector('[data-testid=announcer]')?.textContent);
  const hears = (/** @type {RegExp} */ words) => {
    return until(`${words} to be said`, async () => words.test((await said()) ?? ''), {
      seen: said,
    });
  };
  const jun = await stage.person('Jun', { camera: 'small' });
  await jun.enter('aloud');
  await hears(/Jun joined/);
  await jun.click('hand');
  await hears(/Jun raised a hand/);
  await jun.say('can you hear me?');
  await hears(/Jun: can you hear me\?/);
  await mina.click('mic');
  await hears(/Your microphone is muted/);
  await jun.click('leave');
  await hears(/Jun left/);
  await mina.click('chat-toggle');
  const log = '[data-testid="chat-log"]';
  assert.equal(
    await mina.ask((where) => document.querySelector(where)?.getAttribute('role'), log),
    'log',
  );
});

/** Rooms for those with a token: the page takes it out of its address, and keeps it for its tab. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { PROGRAM } from './lib/program.js';
import { scenario } from './lib/scenario.js';

const SECRET = 'the tests own secret of 32 bytes or more';

/** @param {string[]} args */
function token(...args) {
  return execFileSync(PROGRAM, ['token', '--set', `auth.secret=${SECRET}`, ...args], {
    encoding: 'utf8',
  }).trim();
}

scenario(
  'a link with a token opens its room, under its name, and again after a reload',
  async (stage) => {
    const [mina, jun] = [await stage.person('Mina'), await stage.person('Jun')];
    await jun.open(`/r/standup#token=${token('--room', 'standup')}`);
    await mina.open(`/r/standup?token=${token('--room', 'stand*', '--name', 'Mina')}`);
    for (const person of [mina, jun]) {
      await person.isReady();
      await person.fill('lobby-name', person === jun ? 'Jun' : 'Somebody');
      await person.click('lobby-join');
      await person.sees('leave');
      assert.ok(!(await person.ask(() => location.href)).includes('token'), 'the link has none');
    }
    await jun.seesOnly(['Mina']);
    await mina.seesOnly(['Jun']);

    await jun.page.reload();
    await jun.isReady();
    await jun.click('lobby-join');
    await jun.sees('leave');
    await mina.seesOnly(['Jun']);
    await stage.allSeeAll([mina, jun]);
  },
  { 'auth.secret': SECRET },
);

scenario(
  'who has no token, or that of another room, is told so',
  async (stage) => {
    const mina = await stage.person('Mina');
    for (const [address, text] of /** @type {[string, RegExp][]} */ ([
      ['/r/standup', /a link with a token/],
      ['/r/standup#token=a.b.c', /not one of this server/],
      [`/r/standup?again#token=${token('--room', 'other')}`, /another room/],
    ])) {
      await mina.open(address);
      await mina.page.reload(); // a fragment alone loads nothing anew
      await mina.isReady();
      await mina.fill('lobby-name', 'Mina');
      await mina.click('lobby-join');
      await mina.reads('lobby-error', text);
    }
  },
  { 'auth.secret': SECRET },
);

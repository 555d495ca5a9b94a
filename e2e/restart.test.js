/** A server that is restarted under a meeting: pages come back by themselves, and meet again. */

import { scenario } from './lib/scenario.js';

scenario('the server restarts, and the meeting goes on', async (stage) => {
  const [mina, jun] = [await stage.person('Mina'), await stage.person('Jun')];
  await stage.enter('restart', [mina, jun]);
  await stage.allSeeAll([mina, jun]);
  await mina.say('before');
  await jun.hasChat(['before']);
  await jun.click('hand');

  await stage.server.stop();
  for (const person of [mina, jun]) await person.sees('banner');
  await stage.allSeeAll([mina, jun]); // media needs no server
  await mina.say('written while it was away');

  await stage.server.start();
  for (const person of [mina, jun]) await person.seesNo('banner');
  await mina.seesOnly(['Jun']);
  await jun.seesOnly(['Mina']);
  await mina.seesTile('Jun', { hand: 'true' });
  await stage.allSeeAll([mina, jun]);
  await mina.hasChat(['before', 'written while it was away']);
  await jun.say('after');
  await mina.hasChat(['before', 'written while it was away', 'after']);
});

scenario('a page that is opened while the server is away joins when it is there', async (stage) => {
  const mina = await stage.person('Mina');
  await mina.open('/r/later');
  await mina.isReady();
  await mina.fill('lobby-name', 'Mina');
  await stage.server.stop();
  await mina.click('lobby-join');
  await mina.reads('lobby-error', /can’t be reached/);
  await stage.server.start();
  await mina.sees('leave');
});

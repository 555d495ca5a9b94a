/** Chromium and Firefox through the server, with a screen that is shared there. */

import { scenario } from './lib/scenario.js';

const SETTINGS = { 'rooms.topology': 'sfu' };

scenario('Chromium and Firefox see and hear one another through the server', async (stage) => {
  const mina = await stage.person('Mina', { firefox: true });
  const jun = await stage.person('Jun', { camera: 'small' });
  const ada = await stage.person('Ada', { camera: 'small' });
  const all = [mina, jun, ada];
  await stage.enter('foxes', all);
  for (const person of all) await person.isVia('sfu');
  await stage.allSeeAll(all);

  await mina.click('cam');
  await jun.seesTile('Mina', { video: 'false' });
  await mina.click('cam');
  await jun.seesTile('Mina', { video: 'true' });
  await jun.seesMoving(['Mina']);

  await jun.click('screen');
  await mina.seesScreen();
  await ada.seesScreen();
  await jun.click('screen');
  await mina.seesNo('screen-tile');
  await mina.seesMoving(['Jun', 'Ada']);
}, SETTINGS);

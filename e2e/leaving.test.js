/** Going away: by leaving, by closing the page, and by a network that breaks and comes back. */

import assert from 'node:assert/strict';
import { Cable } from './lib/proxy.js';
import { scenario } from './lib/scenario.js';

scenario('who leaves, or closes the page, is gone at the others at once', async (stage) => {
  const people = [];
  for (const name of ['Mina', 'Jun', 'Ada'])
    people.push(await stage.person(name, { camera: 'small' }));
  const [mina, jun, ada] = people;
  await stage.enter('going', people);
  await mina.seesOnly(['Jun', 'Ada']);

  await jun.click('leave');
  await mina.seesOnly(['Ada']);
  await ada.seesOnly(['Mina']);
  await ada.page.close({ runBeforeUnload: false });
  await mina.seesOnly([]);
  await mina.sees('copy-link');

  await jun.click('rejoin');
  await jun.sees('leave');
  await stage.allSeeAll([mina, jun]);
  stage.people.splice(stage.people.indexOf(ada), 1);
});

scenario(
  'a member whose connection is cut comes back to what was said meanwhile',
  async (stage) => {
    const cable = new Cable(stage.server.ports.http);
    await cable.plug();
    stage.after(() => cable.pull());
    const mina = await stage.person('Mina', { url: cable.url });
    const jun = await stage.person('Jun');
    await stage.enter('cut', [mina, jun]);
    await stage.allSeeAll([mina, jun]);
    await mina.say('before');
    await jun.hasChat(['before']);

    await cable.pull();
    await mina.sees('banner');
    await jun.seesTile('Mina', { away: 'true' });
    await jun.say('one');
    await jun.say('둘');
    await mina.say('mine');
    await jun.say('three');
    await jun.hasChat(['before', 'one', '둘', 'three']);
    await mina.seesMoving(['Jun']); // media needs no server
    await jun.seesMoving(['Mina']);

    await cable.plug();
    await mina.seesNo('banner');
    await jun.seesTile('Mina', { away: 'false' });
    const all = ['before', 'one', '둘', 'three', 'mine'];
    await mina.hasChat(all);
    await jun.hasChat(all);
    await stage.allSeeAll([mina, jun]);
    await jun.say('after');
    await mina.hasChat([...all, 'after']);
    assert.equal(await stage.server.metric('moim_resumes_total{result="ok"}'), 1);
  },
);

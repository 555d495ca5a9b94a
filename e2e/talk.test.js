/** What members say to one another besides pictures and sound: chat, hands, mute marks. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';

const MARKUP = '<img src=x onerror="document.body.dataset.broken=1"><b>bold</b> & &amp;';

scenario('chat goes both ways, as text and in one order', async (stage) => {
  const [mina, jun] = [
    await stage.person('Mina'),
    await stage.person('박준호', { locale: 'ko-KR' }),
  ];
  await stage.enter('talk', [mina, jun]);

  await mina.say('안녕하세요, 잘 들리세요?');
  await jun.hasChat(['안녕하세요, 잘 들리세요?']);
  await jun.say('네 👍🏽 잘 들려요');
  await mina.hasChat(['안녕하세요, 잘 들리세요?', '네 👍🏽 잘 들려요']);
  await mina.say(MARKUP);
  await mina.say('two\nlines');
  const all = ['안녕하세요, 잘 들리세요?', '네 👍🏽 잘 들려요', MARKUP, 'two\nlines'];
  for (const person of [mina, jun]) {
    await person.hasChat(all);
    const made = await person.ask(
      () => document.querySelectorAll('[data-testid="chat-log"] :is(img, b, script)').length,
    );
    assert.equal(made, 0);
    assert.equal(await person.ask(() => document.body.dataset.broken), undefined);
  }
});

scenario('a closed chat counts what is unread, and a private word stays private', async (stage) => {
  const [mina, jun, ada] = [
    await stage.person('Mina'),
    await stage.person('Jun'),
    await stage.person('Ada', { camera: 'small' }),
  ];
  await stage.enter('aside', [mina, jun, ada]);
  await mina.say('for all');
  await jun.reads('chat-unread', /^1$/);
  await mina.page.selectOption('[data-testid="chat-to"]', { label: 'Jun' });
  await mina.say('for Jun alone');
  await mina.page.selectOption('[data-testid="chat-to"]', '');
  await mina.say('for all again');
  await jun.reads('chat-unread', /^3$/);
  await ada.reads('chat-unread', /^2$/);
  await jun.click('chat-toggle');
  await jun.hasChat(['for all', 'for Jun alone', 'for all again']);
  await jun.seesNo('chat-unread');
  await ada.click('chat-toggle');
  await ada.hasChat(['for all', 'for all again']);
});

scenario('hands and mute marks are seen by the others', async (stage) => {
  const [mina, jun] = [await stage.person('Mina'), await stage.person('Jun')];
  await stage.enter('marks', [mina, jun]);
  await mina.seesTile('Jun', { audio: 'true', video: 'true', hand: 'false', state: 'connected' });

  await jun.click('hand');
  await mina.seesTile('Jun', { hand: 'true' });
  await jun.click('mic');
  await mina.seesTile('Jun', { audio: 'false', hand: 'true' });
  await jun.click('cam');
  await mina.seesTile('Jun', { video: 'false' });
  await jun.click('hand');
  await mina.seesTile('Jun', { hand: 'false' });

  // Everything comes back, the picture too: it is another camera track then.
  await jun.click('mic');
  await jun.click('cam');
  await mina.seesTile('Jun', { audio: 'true', video: 'true' });
  await mina.seesMoving(['Jun']);

  // A latecomer is told how things stand.
  await jun.click('hand');
  await jun.click('mic');
  const ada = await stage.person('Ada', { camera: 'small' });
  await ada.enter('marks');
  await ada.seesTile('Jun', { hand: 'true', audio: 'false', video: 'true' });
  await ada.seesTile('Mina', { hand: 'false', audio: 'true', video: 'true' });
});

/** What a person reads when something is not as it should be: plain words, and a way on. */

import assert from 'node:assert/strict';
import { Member } from './lib/member.js';
import { scenario } from './lib/scenario.js';

const ROOM_MAX = 16;

scenario('a person who refuses camera and microphone is told, and may join', async (stage) => {
  const mina = await stage.person('Mina', { devices: { permission: 'deny' } });
  await mina.open('/r/refused');
  await mina.reads('lobby-problem', /Camera and microphone are blocked\. Allow them/);
  await mina.enter('refused');
  await mina.click('cam');
  await mina.reads('banner', /The camera is blocked\. Allow it for this page/);

  const jun = await stage.person('Jun');
  await jun.enter('refused');
  await jun.seesTile('Mina', { audio: 'false', video: 'false', state: 'connected' });
  await mina.seesMoving(['Jun']);
});

scenario('a computer without a camera is told so, and is heard', async (stage) => {
  const mina = await stage.person('Mina', { devices: { devices: 'device-count=0' } });
  await mina.open('/r/no-camera');
  await mina.reads('lobby-problem', /^No camera was found\./);
  await mina.enter('no-camera');
  const jun = await stage.person('Jun', { locale: 'ko-KR' });
  await jun.enter('no-camera');
  await jun.seesTile('Mina', { audio: 'true', video: 'false', state: 'connected' });
  await jun.hears(['Mina']);
  await mina.seesMoving(['Jun']);
});

// What no command line brings about: the browser's answer is put into its mouth.
for (const [answer, words] of [
  ['NotFoundError', /No camera and no microphone were found\. You can join/],
  ['NotReadableError', /The camera is in use by another program\. Close that program/],
]) {
  scenario(`devices that answer ${answer} are explained`, async (stage) => {
    const mina = await stage.person('Mina');
    await mina.page.addInitScript((name) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name));
    }, answer);
    await mina.open('/r/broken');
    await mina.reads('lobby-problem', words);
    await mina.enter('broken');
  });
}

scenario('a name that is taken is said, and another one lets in', async (stage) => {
  const member = new Member(stage.server);
  stage.after(() => member.close());
  assert.equal((await member.join('names', 'Mina')).type, 'welcome');

  const mina = await stage.person('Mina');
  await mina.open('/r/names');
  await mina.isReady();
  await mina.fill('lobby-name', 'Mina');
  await mina.click('lobby-join');
  await mina.reads('lobby-error', /Somebody in this room already has that name/);
  await mina.fill('lobby-name', 'Mina K');
  await mina.click('lobby-join');
  await mina.sees('leave');
  await member.hears(({ type, member: who }) => type === 'member-joined' && who.name === 'Mina K');
});

scenario('a room that is full is said, and whoever leaves makes room', async (stage) => {
  const members = Array.from({ length: ROOM_MAX }, () => new Member(stage.server));
  stage.after(() => members.forEach((member) => member.close()));
  for (const [i, member] of members.entries()) {
    assert.equal((await member.join('crowd', `member ${i}`)).type, 'welcome');
  }
  const mina = await stage.person('Mina', { locale: 'ko-KR' });
  await mina.open('/r/crowd');
  await mina.isReady();
  await mina.fill('lobby-name', 'Mina');
  await mina.click('lobby-join');
  await mina.reads('lobby-error', /회의실이 가득 찼습니다/);

  members[3].say({ type: 'leave' });
  await members[0].hears(({ type }) => type === 'member-left');
  await mina.click('lobby-join');
  await mina.sees('leave');
});

scenario('a page without a secure address says where to go, and lets one listen', async (stage) => {
  const url = `http://moim.test:${stage.server.ports.http}`;
  const args = ['--host-resolver-rules=MAP moim.test 127.0.0.1'];
  const mina = await stage.person('Mina', { url, devices: { args } });
  await mina.open('/r/plain');
  assert.equal(await mina.ask(() => window.isSecureContext), false);
  await mina.reads('lobby-problem', /only to pages opened by https:\/\/.*https:\/\/moim\.test/);
  await mina.enter('plain');
  const jun = await stage.person('Jun');
  await jun.enter('plain');
  await mina.seesMoving(['Jun']);
});

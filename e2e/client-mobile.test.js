/** Kind A's mobile app (its traffic, replayed), alone and with the pages in the browser. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Mobile, sessionPath } from './clients/mobile.js';
import { openHouse, visit } from './clients/visit.js';
import { until } from './lib/until.js';

const house = openHouse();
const host = () => `localhost:${house.server.ports.http}`;

/** The app's part of the flow. @param {string} room @param {string} [path] */
async function enter(room, path) {
  const key = randomUUID();
  const mobile = new Mobile(host(), path);
  house.afterwards(() => mobile.vanish());
  const connected = await mobile.connect({ roomId: room, camKey: key });
  assert.equal(connected.command, 'CONNECTED');
  for (const what of ['iceCandidate', 'offer', 'answer']) {
    mobile.subscribe(`/topic/peer/${what}/${key}/${room}`);
  }
  mobile.subscribe('/topic/call/key');
  mobile.subscribe('/topic/send/key');
  return { mobile, key, room };
}

/** @param {Mobile} mobile @param {string} destination @param {number} [count] */
async function bodies(mobile, destination, count = 1) {
  await until(
    `${count} messages at ${destination}`,
    () => mobile.heardAt(destination).length >= count,
    { seen: () => mobile.raw },
  );
  return mobile.heardAt(destination).map(({ text }) => text);
}

visit(house, 'CONNECT comes before SockJS has said that it is open', async () => {
  const path = sessionPath();
  const { mobile, key, room } = await enter('first', path);
  const [opened, connected] = mobile.raw;
  assert.equal(opened, 'o');
  assert.match(connected, /^a\["CONNECTED\\n/);
  const { headers } = mobile.frames[0];
  assert.equal(headers.version, '1.2');
  assert.match(headers['heart-beat'], /^\d+,\d+$/);

  mobile.beat();
  mobile.send('/app/call/key', '{}');
  assert.deepEqual(await bodies(mobile, '/topic/call/key'), ['{}']);
  mobile.send('/app/send/key', JSON.stringify(key));
  assert.deepEqual(await bodies(mobile, '/topic/send/key'), [JSON.stringify(key)]);
  const body = JSON.stringify({ key, body: { type: 'offer', sdp: 'v=0\r\n모임 🦊\r\n' } });
  mobile.send(`/app/peer/offer/${key}/${room}`, body);
  assert.deepEqual(await bodies(mobile, `/topic/peer/offer/${key}/${room}`), [body]);
  for (const { headers: each, text } of mobile.frames.slice(1)) {
    assert.ok(each.subscription && each['message-id'] && each['content-type'], 'what it reads');
    assert.equal(each['content-length'], String(Buffer.byteLength(text ?? '')));
  }
  assert.equal(mobile.heardAt('/topic/call/key')[0].headers.subscription, 'sub-3');
  await mobile.leave();
  await until('the session to be closed', () => mobile.closed);

  // The same session's address may be used again.
  const again = await enter('first', path);
  await again.mobile.leave();
});

visit(house, 'rooms of apps do not hear one another, and one that vanished is gone', async () => {
  const [mina, jun, ada] = [await enter('here'), await enter('here'), await enter('there')];
  mina.mobile.send('/app/call/key', '{}');
  for (const { mobile } of [mina, jun]) {
    assert.deepEqual(await bodies(mobile, '/topic/call/key'), ['{}']);
  }
  jun.mobile.vanish();
  await until('the server to have two sessions', async () => {
    return (await house.server.metric('moim_sessions')) === 2;
  });
  ada.mobile.send('/app/call/key', '"there"');
  assert.deepEqual(await bodies(ada.mobile, '/topic/call/key'), ['"there"']);
  mina.mobile.send('/app/call/key', '"here"');
  assert.deepEqual(await bodies(mina.mobile, '/topic/call/key', 2), ['{}', '"here"']);
  await mina.mobile.leave();
  await ada.mobile.leave();
});

visit(house, 'an app and a page in one room exchange keys, an offer and an answer', async () => {
  const page = await house.guest('Mina', 'cameras-stompjs2.html');
  await page.page.fill('#room', 'mixed');
  await page.click('enter');
  await page.reads('state', 'entered');
  const { mobile, key, room } = await enter('mixed');
  mobile.send('/app/call/key', '{}');
  const [said] = await bodies(mobile, '/topic/send/key');
  const other = await page.read('key');
  assert.equal(said, JSON.stringify(other));
  mobile.send('/app/send/key', JSON.stringify(key));
  await page.reads('others', key);

  // The page offers as soon as its person presses start; the app answers.
  await page.click('start');
  await until('the page to ask again', () => mobile.heardAt('/topic/call/key').length === 2);
  mobile.send('/app/send/key', JSON.stringify(key));
  const [text] = await bodies(mobile, `/topic/peer/offer/${key}/${room}`);
  const offer = JSON.parse(text ?? '');
  assert.equal(offer.key, other);
  assert.equal(offer.body.type, 'offer');
  assert.match(offer.body.sdp, /^v=0\r\n/);
  await bodies(mobile, `/topic/peer/iceCandidate/${key}/${room}`);
  await mobile.leave();
});

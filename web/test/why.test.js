import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isKey } from '../i18n.js';
import { HISTORY_MAX, limitsOf } from '../rtc/stats.js';
import { Why } from '../rtc/why.js';
import { headline, ownWords, pictureWords, tileWords } from '../ui/why-words.js';

const VERDICTS = ['nothing', 'silent', 'window', 'policy', 'sender-cpu', 'uplink', 'downlink'];

const answer = (pictures, more = {}) => ({
  received: pictures,
  sent: [],
  receiving: 'nothing',
  sending: 'nothing',
  verdict: 'nothing',
  ...more,
});

/** A server that is told things, and lets `seconds` pass. */
function listen() {
  const heard = [];
  const said = { works: true };
  const why = new Why((command) => {
    if (said.works) heard.push(command);
    return said.works;
  });
  let now = 0;
  const pass = (seconds, isOpen = false, limits = {}) => {
    for (let i = 0; i < seconds; i += 1) why.tick(now += 1000, isOpen, limits);
    return heard.splice(0);
  };
  return { why, pass, said };
}

const asks = (heard) => heard.filter(({ type }) => type === 'sfu-why').length;
const told = (heard) => heard.filter(({ type }) => type === 'sfu-quality')
  .map(({ limits }) => limits);

test('it is asked now and then, and every second while somebody looks', () => {
  const { pass, said } = listen();
  assert.equal(asks(pass(1)), 1);
  assert.equal(asks(pass(30)), 6);
  assert.equal(asks(pass(10, true)), 10);
  said.works = false; // what did not go out was not asked
  pass(10);
  said.works = true;
  assert.equal(asks(pass(1)), 1);
});

test('a limit is told when it has lasted, once, and taken back', () => {
  const { pass } = listen();
  assert.deepEqual(told(pass(20, false, { camera: 'bandwidth' })), [], 'it has just begun');
  assert.deepEqual(told(pass(20, false, { camera: undefined })), []);
  assert.deepEqual(told(pass(1, false, { camera: 'cpu' })), []);
  assert.deepEqual(told(pass(1, false, { camera: 'none' })), []);
  assert.deepEqual(told(pass(20, false, { camera: 'cpu' })), [{ camera: 'cpu' }]);
  assert.deepEqual(told(pass(2, false, {})), [], 'a moment is nothing');
  assert.deepEqual(told(pass(20, false, { camera: 'cpu' })), []);
  assert.deepEqual(told(pass(20, false, { camera: 'none', screen: 'bandwidth' })),
    [{ camera: 'none', screen: 'bandwidth' }]);
  assert.deepEqual(told(pass(20, false, {})), [{ camera: 'unknown', screen: 'unknown' }]);
});

test('however it changes, it is seldom told', () => {
  const { pass } = listen();
  const limits = [];
  for (let i = 0; i < 20; i += 1) {
    limits.push(...told(pass(8, false, { camera: i % 2 ? 'none' : 'cpu' })));
  }
  assert.ok(limits.length > 0 && limits.length <= 160 / 5, String(limits.length));
});

test('a new connection is told anew', () => {
  const { why, pass } = listen();
  assert.deepEqual(told(pass(30, false, { camera: 'cpu' })), [{ camera: 'cpu' }]);
  why.told(answer([]));
  why.forget();
  assert.equal(why.answer, null);
  const heard = pass(30, false, { camera: 'cpu' });
  assert.deepEqual(told(heard), [{ camera: 'cpu' }]);
  assert.ok(asks(heard) > 0);
});

test('the last minutes are kept of the estimate, and of each picture that is there', () => {
  const { why, pass } = listen();
  pass(2);
  why.told(answer([{ mid: '3', on: true, given: { height: 360 } }, { mid: '5', on: false }],
    { line: { estimate_bps: 500_000 } }));
  pass(2);
  assert.deepEqual(why.estimates, [null, null, 500, 500]);
  assert.deepEqual(why.heights.get('3'), [360, 360]);
  assert.deepEqual(why.heights.get('5'), [0, 0]);
  assert.equal(why.of('5')?.on, false);
  assert.equal(why.of('7'), undefined);
  assert.equal(why.of(''), undefined);
  why.told(answer([{ mid: '5', on: true, given: { height: 180 } }]));
  pass(1);
  assert.equal(why.heights.has('3'), false);
  assert.deepEqual(why.heights.get('5'), [0, 0, 180]);
  pass(2 * HISTORY_MAX);
  assert.equal(why.estimates.length, HISTORY_MAX);
  assert.equal(why.heights.get('5')?.length, HISTORY_MAX);
});

test('the gravest limit of what an encoder still sends counts', () => {
  const entry = (mid, qualityLimitationReason, more = {}) => ({
    type: 'outbound-rtp', kind: 'video', mid, qualityLimitationReason, ...more,
  });
  assert.deepEqual([...limitsOf([
    entry('1', 'none'), entry('1', 'bandwidth'), entry('1', 'cpu', { active: false }),
    entry('2', 'cpu'), entry('2', 'bandwidth'), entry('4', 'none'), entry('5', undefined),
    entry('6', 'none', { kind: 'audio' }), { type: 'inbound-rtp', kind: 'video', mid: '7' },
  ])], [['1', 'bandwidth'], ['2', 'cpu'], ['4', 'none']]);
});

test('there are words for every verdict, and none on a tile where nothing is wrong', () => {
  for (const verdict of VERDICTS) {
    assert.ok(isKey(pictureWords({ verdict, reason: 'none', on: true })), verdict);
    assert.ok(isKey(ownWords(verdict)), verdict);
    for (const receiving of VERDICTS) {
      const { isGood, keys } = headline({ receiving, sending: verdict });
      assert.ok(keys.length > 0 && keys.every(isKey));
      assert.equal(isGood, keys[0] === 'whyAllGood');
    }
  }
  const on = (verdict, reason = 'none') => tileWords({ verdict, reason, on: true });
  assert.equal(tileWords(undefined), null);
  for (const verdict of ['nothing', 'silent', 'window']) assert.equal(on(verdict), null);
  for (const verdict of ['downlink', 'uplink', 'sender-cpu']) assert.ok(isKey(on(verdict)));
  assert.equal(tileWords({ verdict: 'downlink', reason: 'bandwidth', on: false }), 'tileHeld');
  assert.equal(on('policy', 'last-n'), 'tileLastN');
  assert.equal(on('policy', 'paused'), 'tilePaused');
  assert.equal(pictureWords({ verdict: 'downlink', reason: 'bandwidth', on: false }), 'tileHeld');
  assert.equal(pictureWords({ verdict: 'window', reason: 'hidden', on: false }), 'whyHidden');
  assert.equal(pictureWords({ verdict: 'policy', reason: 'last-n', on: false }), 'whyLastN');
});

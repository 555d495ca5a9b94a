import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameraEncodings, cameraLayers, limit, reshape } from '../rtc/layers.js';

/** @param {{ width?: number, height?: number }} size @param {any} [wanted] */
const active = (size, wanted) => cameraEncodings(size, wanted)
  .filter((encoding) => encoding.active).map(({ rid }) => rid).join('');
const HD = { width: 1280, height: 720 };

test('as many encodings as a picture is worth, and the last is as large', () => {
  for (const [width, height, rids, scales] of /** @type {const} */ ([
    [1920, 1080, 'lmh', [4, 2, 1]], [1280, 720, 'lmh', [4, 2, 1]], [720, 1280, 'lmh', [4, 2, 1]],
    [960, 540, 'lmh', [4, 2, 1]], [640, 480, 'lm', [2, 1]], [640, 360, 'lm', [2, 1]],
    [480, 270, 'lm', [2, 1]], [320, 240, 'l', [1]], [320, 180, 'l', [1]], [96, 54, 'l', [1]],
  ])) {
    assert.equal(active({ width, height }), rids);
    const shape = cameraEncodings({ width, height });
    assert.deepEqual(shape.map(({ rid }) => rid), ['l', 'm', 'h']);
    assert.deepEqual(shape.slice(0, rids.length).map((one) => one.scaleResolutionDownBy), scales);
  }
  assert.equal(active({}), 'lmh'); // not known yet
});

test('what nobody wants is not sent', () => {
  assert.equal(active(HD, { on: true, off: ['h'] }), 'lm');
  assert.equal(active(HD, { on: true, off: ['m', 'h'] }), 'l');
  assert.equal(active(HD, { on: true, off: [] }), 'lmh');
  assert.equal(active(HD, { on: true }), 'lmh');
  assert.equal(active(HD, { on: false }), '');
  assert.equal(active({ width: 640, height: 480 }, { on: true, off: ['m'] }), 'l');
  assert.equal(active({ width: 320, height: 180 }, { on: false }), '');
});

test('a sender is reshaped in what the browser gave, and only where it is another', () => {
  const given = [
    { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150_000, priority: 'low' },
    { rid: 'm', active: true, scaleResolutionDownBy: 2, maxBitrate: 500_000 },
    { rid: 'h', active: true, scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
  ];
  const encodings = /** @type {any} */ (structuredClone(given));
  assert.equal(reshape(encodings, cameraEncodings(HD), true), false);
  assert.deepEqual(encodings, given);
  const wanted = { mid: '1', on: true, off: ['h'] };
  assert.equal(reshape(encodings, cameraEncodings(HD, wanted), true), true);
  assert.equal(encodings[2].active, false);
  assert.deepEqual(encodings.slice(0, 2), given.slice(0, 2));
  assert.equal(reshape(encodings, cameraEncodings(HD, wanted), true), false);
  assert.equal(reshape(encodings, cameraEncodings({ width: 640, height: 480 }), true), true);
  assert.equal(encodings[0].scaleResolutionDownBy, 2);
  assert.equal(encodings[1].scaleResolutionDownBy, 1);
});

test('one encoding has as many layers as the picture is worth', () => {
  for (const [width, height, mode] of /** @type {const} */ ([
    [1280, 720, 'L3T3_KEY'], [640, 360, 'L2T3_KEY'], [320, 180, 'L1T3'],
  ])) {
    assert.equal(cameraLayers({ width, height })[0].scalabilityMode, mode);
  }
  assert.equal(cameraLayers({})[0].scalabilityMode, 'L3T3_KEY');
  const encodings = /** @type {any[]} */ ([{ active: true, maxBitrate: 1 }]);
  assert.equal(reshape(encodings, cameraLayers(HD), true), true);
  assert.equal(reshape(encodings, cameraLayers(HD), true), false);
  assert.equal(encodings[0].scalabilityMode, 'L3T3_KEY');
  assert.equal(reshape(encodings, cameraLayers(HD, { mid: '1', on: false }), true), true);
  assert.equal(encodings[0].active, false);
});

test('of one encoding nothing changes but whether it is sent', () => {
  const encodings = [{ maxBitrate: 5, maxFramerate: 15 }];
  assert.equal(reshape(encodings, null, true), false);
  assert.equal(reshape(encodings, null, false), true);
  assert.deepEqual(encodings, [{ maxBitrate: 5, maxFramerate: 15, active: false }]);
  assert.equal(reshape(encodings, null, true), true);
});

test('sound is limited, and let go again', () => {
  const encodings = [{ active: true }];
  assert.equal(limit(encodings, undefined), false);
  assert.equal(limit(encodings, 16_000), true);
  assert.deepEqual(encodings, [{ active: true, maxBitrate: 16_000 }]);
  assert.equal(limit(encodings, 16_000), false);
  assert.equal(limit(encodings, 24_000), true);
  assert.equal(limit(encodings, undefined), true);
  assert.deepEqual(encodings, [{ active: true }]);
});

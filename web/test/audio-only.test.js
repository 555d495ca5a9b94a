import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AudioOnly } from '../audio-only.js';

/** A camera with its owner; what is remembered is this test's alone. */
function camera(video, remembered = {}) {
  const store = new Map(Object.entries(remembered));
  globalThis.localStorage = {
    getItem: (key) => store.get(key) ?? null,
    setItem: (key, value) => { store.set(key, value); },
  };
  let changes = 0;
  const local = {
    flags: { video },
    setCamera(on) {
      local.flags.video = on;
      audioOnly.cameraChanged();
    },
  };
  const audioOnly = new AudioOnly(local, () => { changes += 1; });
  return { local, audioOnly, store, changes: () => changes };
}

test('it is remembered, and told when it changes', () => {
  const { audioOnly, store, changes, local } = camera(true);
  audioOnly.start();
  assert.equal(audioOnly.isOn, false);
  audioOnly.set(true);
  audioOnly.set(true);
  assert.equal(changes(), 1);
  assert.equal(store.get('moim.audioOnly'), 'on');
  assert.equal(local.flags.video, true, 'the camera is one’s own matter');
  audioOnly.set(false);
  assert.equal(store.get('moim.audioOnly'), '');
  const again = camera(true, { 'moim.audioOnly': 'on', 'moim.audioOnlyCamera': 'on' });
  assert.equal(again.audioOnly.isOn, true);
  again.audioOnly.start();
  assert.equal(again.local.flags.video, false);
});

test('the camera goes and comes back with the pictures, where one likes', () => {
  const { audioOnly, local } = camera(true);
  audioOnly.set(true);
  audioOnly.setWithCamera(true);
  assert.equal(local.flags.video, false);
  audioOnly.setWithCamera(false);
  assert.equal(local.flags.video, true);
  audioOnly.setWithCamera(true);
  audioOnly.set(false);
  assert.equal(local.flags.video, true);
});

test('a camera that was off, or that its owner has touched meanwhile, stays as it is', () => {
  const off = camera(false);
  off.audioOnly.setWithCamera(true);
  off.audioOnly.set(true);
  off.audioOnly.set(false);
  assert.equal(off.local.flags.video, false);
  const { audioOnly, local } = camera(true);
  audioOnly.setWithCamera(true);
  audioOnly.set(true);
  local.setCamera(true);
  local.setCamera(false);
  audioOnly.set(false);
  assert.equal(local.flags.video, false);
});

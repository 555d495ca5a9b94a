/**
 * From the mesh to the server when the third person comes, and back when that one has left: at the
 * two who were there the picture goes on.
 */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';

const GONE_MS = 1000; // no picture may be gone for longer

/**
 * Runs in the page: notes from now on when frames are shown in the tile of that name, and how long
 * the page itself did not get to run, which is no matter of the picture's.
 * @param {string} name
 */
function watch(name) {
  const tile = [...document.querySelectorAll('[data-testid="tile"]')].find(
    (one) => one.querySelector('.tile-text')?.textContent === name,
  );
  const seen = { frames: 0, gap: 0, stall: 0 };
  Object.assign(window, { seen });
  let shownAt = performance.now();
  let ranAt = performance.now();
  let stalled = 0; // since a frame was shown
  let last = -1;
  let video = null;
  const look = () => {
    const now = performance.now();
    stalled += Math.max(0, now - ranAt - 100);
    ranAt = now;
    const current = tile?.querySelector('video');
    const count = current?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
    if (current !== video || count !== last) {
      if (count > 0) {
        seen.gap = Math.max(seen.gap, now - shownAt - stalled);
        seen.frames += 1;
        shownAt = now;
        stalled = 0;
      }
      [video, last] = [current, count];
    }
    setTimeout(look, 20);
  };
  look();
}

/**
 * Runs in the page: answers come late, as on a long line; so a way that is left before the other is
 * there is missed.
 * @param {number} ms
 */
function slowAnswers(ms) {
  // @ts-ignore - the page's own handle
  const { sfu, mesh } = window.moim.ways;
  const answered = sfu.answered.bind(sfu);
  const handle = mesh.handle.bind(mesh);
  sfu.answered = (/** @type {string} */ sdp) => setTimeout(answered, ms, sdp);
  mesh.handle = (/** @type {any} */ event) =>
    setTimeout(handle, event.type === 'answer' ? ms : 0, event);
}

scenario('a third person comes and goes, and the picture of the others goes on', async (stage) => {
  const mina = await stage.person('Mina', { camera: 'small' });
  const jun = await stage.person('Jun', { camera: 'small' });
  const ada = await stage.person('Ada', { camera: 'small' });
  await stage.enter('crossing', [mina, jun]);
  await stage.allSeeAll([mina, jun]);
  await mina.isVia('mesh');
  for (const person of [mina, jun]) await person.ask(slowAnswers, 1.5 * GONE_MS);
  await mina.ask(watch, 'Jun');
  await jun.ask(watch, 'Mina');

  await ada.enter('crossing');
  for (const person of [mina, jun, ada]) await person.isVia('sfu');
  await stage.allSeeAll([mina, jun, ada]);

  await ada.click('leave');
  for (const person of [mina, jun]) await person.isVia('mesh');
  await stage.allSeeAll([mina, jun]);

  for (const person of [mina, jun]) {
    // @ts-ignore - what `watch` notes
    const { frames, gap } = await person.ask(() => window.seen);
    assert.ok(frames > 20, `${person.name} saw ${frames} frames`);
    assert.ok(gap < GONE_MS, `the picture at ${person.name} was gone for ${Math.round(gap)} ms`);
  }
});

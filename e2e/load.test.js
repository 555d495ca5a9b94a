/**
 * The server beside another one's stack: the load of bench/sfu has ICE, DTLS and rhythm of its own,
 * and many ends. It is here for what it sees, not for what it costs.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { whyNoNetwork } from './lib/network.js';
import { ROOT } from './lib/server.js';

const run = promisify(execFile);
const server = path.resolve(ROOT, process.env.E2E_SERVER || 'build/moim');
const build = path.relative(ROOT, path.dirname(server));
const isBuilt = existsSync(path.join(ROOT, build, 'bench/sfu/bench_sfu_load'));
const skip = isBuilt ? ((await whyNoNetwork()) ?? false) : 'the load is not built';

/**
 * What the load says when all have seen a picture, and two seconds more have gone.
 * @param {string[]} words as measure.mjs has them
 * @param {string} [kinds]
 * @param {number} [atOnce] who join
 * @returns {Promise<Record<string, number>>}
 */
async function measure(words, kinds = 'video', atOnce = 10) {
  const script = path.join(ROOT, 'bench/sfu/measure.mjs');
  const command = ['node', script, 'moim', ...words];
  const env = { ...process.env, BUILD: build, KINDS: kinds, AT_ONCE: String(atOnce) };
  const { stdout } = await run(path.join(ROOT, 'bench/sfu/network'), command, { env });
  const pairs = stdout.trim().split(' ').map((word) => word.split('='));
  return Object.fromEntries(pairs.map(([key, value]) => [key, Number(value)]));
}

for (const profile of ['gcm', 'gcm256', 'cm'])
  test(`30 watch one camera, encrypted by ${profile}`, { skip, timeout: 120_000 }, async () => {
    const seen = await measure(['one', '30', '2', `profile=${profile}`]);
    assert.ok(seen.per_s > 0);
    assert.equal(seen.wrong, 0, 'packets that can not be opened');
    assert.equal(seen.others, 0, 'packets that nobody published');
  });

test('20 come at once: 2 key frames a second', { skip, timeout: 120_000 }, async () => {
  const seen = await measure(['one', '20', '1'], 'video', 20);
  const most = 1 + 2 * Math.ceil(seen.joining_s);
  const told = `${seen.joining_keys} key frames in ${seen.joining_s} s`;
  assert.ok(seen.joining_keys > 0 && seen.joining_keys <= most, told);
});

test('6 see and hear one another', { skip, timeout: 120_000 }, async () => {
  const seen = await measure(['all', '6', '2'], 'audio video');
  assert.ok(seen.per_s > 0);
  assert.equal(seen.wrong, 0, 'packets that can not be opened');
  assert.equal(seen.others, 0, 'packets that nobody published');
});

test('what is lost on the way down comes again', { skip, timeout: 120_000 }, async () => {
  const seen = await measure(['one', '10', '3', 'loss=0.05']);
  assert.ok(seen.thrown > 0);
  assert.ok(seen.repeats > 0, `of ${seen.thrown}, ${seen.repeats} came again`);
  assert.equal(seen.wrong, 0, 'packets that can not be opened');
});

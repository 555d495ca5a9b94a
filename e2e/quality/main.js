/** Plays scenarios with real browsers, and holds what was measured against their thresholds. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromiumPage, launchChromium } from '../lib/browsers.js';
import { BadLine, whyNoNetem } from '../lib/netem.js';
import { Person } from '../lib/person.js';
import { freePort, ROOT, Server } from '../lib/server.js';
import { until } from '../lib/until.js';
import { writeCamera } from './camera.js';
import { between } from './measure.js';
import { plotOf } from './plot.js';
import { SCENARIOS } from './scenarios.js';

/**
 * @typedef {import('./measure.js').Sample} Sample
 * @typedef {import('./scenarios.js').Scenario} Scenario
 * @typedef {{ width: number, height: number, fps: number }} Camera
 */

const SAMPLE_MS = 100;
const WITHOUT_CAMERA = { devices: 'device-count=0' };
const ADMIN = 'who may see how lines are';
const OUT = path.join(ROOT, 'out/quality');

/** @returns {Camera} */
function wishedCamera() {
  const [, width, height, fps] =
    (process.env.CAMERA ?? '960x540@20').match(/^(\d+)x(\d+)@(\d+)$/) ?? [];
  if (!fps) throw new Error('CAMERA is not as 960x540@20');
  return { width: Number(width), height: Number(height), fps: Number(fps) };
}

/** Runs in the page, before it. @param {MediaTrackConstraints} video */
function wishCamera(video) {
  const devices = navigator.mediaDevices;
  const getUserMedia = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wish = {}) =>
    getUserMedia({ ...wish, video: wish.video ? video : false });
}

/** Runs in the page: counters of what comes and goes there. */
async function count() {
  const counts = { frames: 0, height: 0, bytes: 0, sound: 0, concealed: 0, sent: 0 };
  // @ts-ignore - the page's own handle
  for (const { connection } of window.moim.ways.links()) {
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp') {
        counts.bytes += (entry.bytesReceived ?? 0) + (entry.headerBytesReceived ?? 0);
        counts.sound += entry.totalSamplesReceived ?? 0;
        counts.concealed += entry.concealedSamples ?? 0;
        counts.frames += entry.framesDecoded ?? 0;
        if (entry.kind === 'video') counts.height = Math.max(counts.height, entry.frameHeight ?? 0);
      } else if (entry.type === 'media-source') {
        counts.sent += entry.frames ?? 0;
      }
    }
  }
  return counts;
}

/**
 * What the server believes of the line to who watches, in bit/s.
 * @param {Server} server
 */
async function estimateOf(server) {
  const headers = { Authorization: `Bearer ${ADMIN}` };
  const ask = async (/** @type {string} */ where) =>
    (await fetch(`${server.url}/api/v1/rooms/line${where}`, { headers })).json();
  const { members } = await ask('');
  const watcher = members.find((/** @type {any} */ { name }) => name === 'Jun');
  const { connections } = await ask(`/members/${watcher.id}`);
  return connections[0]?.estimate?.bps ?? 0;
}

/** One that is played: the server, the line, two browsers. */
class Play {
  /** @type {(() => Promise<unknown>)[]} */
  #afterwards = [];
  /** @type {Sample[]} */
  samples = [];

  /**
   * @param {Scenario} scenario
   * @param {Camera} camera
   * @param {string} film
   */
  async begin(scenario, camera, film) {
    const port = await freePort(true);
    this.server = await Server.start({
      workers: '1', 'rtc.port': String(port), 'rooms.topology': 'sfu', 'admin.token': ADMIN,
    });
    this.#afterwards.push(() => this.server.close());
    this.line = await BadLine.start(port, { up: scenario.up, down: 'at 0s open' });
    this.#afterwards.push(() => this.line.close());
    const size = { width: camera.width, height: camera.height, frameRate: camera.fps };
    this.mina = scenario.isSoundAlone
      ? await this.#person('Mina', WITHOUT_CAMERA)
      : await this.#person('Mina', { args: [`--use-file-for-fake-video-capture=${film}`] }, size);
    this.jun = await this.#person('Jun', WITHOUT_CAMERA);
    await this.line.carry(this.jun.page);
    await this.mina.enter('line');
    await this.jun.enter('line');
    await until('what is sent to come', async () => {
      const counts = await this.jun.ask(count);
      return scenario.isSoundAlone ? counts.sound : counts.frames;
    });
  }

  /**
   * @param {string} name
   * @param {import('../lib/browsers.js').Devices} devices
   * @param {MediaTrackConstraints} [video]
   */
  async #person(name, devices, video) {
    const browser = await launchChromium(devices);
    this.#afterwards.push(() => browser.close());
    const page = await chromiumPage(browser, { viewport: { width: 1400, height: 900 } });
    if (video) await page.addInitScript(wishCamera, video);
    return new Person(page, name, this.server.url);
  }

  /** @param {Scenario} scenario */
  async play({ down, seconds, windows = [] }) {
    await this.line.be('down', down);
    const begin = Date.now();
    const left = [...windows];
    for (let at = 0; at < seconds; at = (Date.now() - begin) / 1000) {
      if (left[0]?.at <= at) {
        await this.jun.page.setViewportSize({ width: left.shift().width, height: 900 });
      }
      const [here, there, estimate, line] = await Promise.all([
        this.jun.ask(count), this.mina.ask(count), estimateOf(this.server), this.#counts(),
      ]);
      this.samples.push({ at, ...here, sent: there.sent, estimate, ...line });
      await new Promise((resolve) => { setTimeout(resolve, SAMPLE_MS); });
    }
  }

  /** Of the line to who watches: a page has several connections, of which one is used. */
  async #counts() {
    const { clients } = await this.line.counts();
    const sum = (/** @type {'sent' | 'overflowed'} */ key) =>
      clients.reduce((total, { down }) => total + down[key], 0);
    return { offered: sum('sent'), overflowed: sum('overflowed') };
  }

  async end() {
    for (const run of this.#afterwards.reverse()) await run().catch(() => {});
  }
}

/**
 * @param {string} name
 * @param {Camera} camera
 * @param {string} film
 * @returns {Promise<boolean>} whether all is within its bounds
 */
async function playOne(name, camera, film) {
  const scenario = SCENARIOS[name];
  const play = new Play();
  try {
    await play.begin(scenario, camera, film);
    await play.play(scenario);
  } finally {
    await play.end();
  }
  await writeFile(path.join(OUT, `browser-${name}.svg`),
    plotOf(`${name}: ${scenario.what}`, scenario.seconds, play.samples));
  console.log(`${name}: ${scenario.what}`);
  let isWell = true;
  for (const { name: what, measure, from, to, least = -Infinity, most = Infinity } of
    scenario.thresholds(camera.height)) {
    const value = measure(between(play.samples, from, to));
    const fits = value >= least && value <= most;
    const bound = least > -Infinity ? `at least ${least}` : `at most ${most}`;
    console.log(`  ${fits ? 'ok  ' : 'FAIL'} ${what.padEnd(30)} ${value.toFixed(2).padStart(8)}  ${
      bound}`);
    isWell &&= fits;
  }
  return isWell;
}

async function main() {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !SCENARIOS[name]);
  if (unknown) {
    throw new Error(`there is no scenario ${unknown}: ${Object.keys(SCENARIOS).join(' ')}`);
  }
  if (whyNoNetem) throw new Error(whyNoNetem);
  const camera = wishedCamera();
  await mkdir(OUT, { recursive: true });
  const folder = await mkdtemp(path.join(tmpdir(), 'moim-quality-'));
  try {
    const film = path.join(folder, 'camera.y4m');
    await writeCamera(film, camera);
    for (const name of names.length ? names : Object.keys(SCENARIOS)) {
      if (!(await playOne(name, camera, film))) process.exitCode = 1;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

await main();

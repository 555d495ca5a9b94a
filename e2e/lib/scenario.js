/**
 * One scenario is one test: its own server, its own browsers, its own people. Whatever happens, all
 * of them end with it; when it failed, screenshots and the server's log are left in out/e2e/.
 */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { chromiumPage, launchChromium, launchFirefox } from './browsers.js';
import { Network, SERVER_ADDRESS } from './network.js';
import { Person } from './person.js';
import { ROOT, Server } from './server.js';

/**
 * @typedef {import('playwright-core').BrowserContextOptions & {
 *   devices?: import('./browsers.js').Devices, firefox?: boolean, url?: string,
 *   camera?: keyof typeof CAMERAS,
 *   trusts?: import('./certificate.js').Certificate, home?: number,
 * }} PersonOptions `camera`: for rooms so large that two cores must save; `home`: the
 *   number of the home in which a Chromium is, if the setting has any
 *
 * @typedef {object} Setting
 * @property {number} [homes] so many of them, each behind a NAT, and the server in public
 * @property {string | null} [skip] why it can't be played here
 */

/** Of a server in public: all as it comes, but on the ports that firewalls know. */
const PUBLIC = { 'https.listen': '0.0.0.0:443', 'turn.listen': '0.0.0.0:3478' };

class Stage {
  /** @type {Server} */
  server;
  /** @type {Person[]} */
  people = [];
  /** @type {Map<string, Promise<{ close: () => Promise<void> }>>} */
  #browsers = new Map();
  /** @type {(() => unknown)[]} */
  #afterwards = [];

  /**
   * @param {Server} server
   * @param {Network | null} network
   */
  constructor(server, network) {
    this.server = server;
    this.network = network;
  }

  /**
   * @param {Record<string, string>} settings
   * @param {number} homes
   */
  static async set(settings, homes) {
    if (homes === 0) return new Stage(await Server.start(settings), null);
    const network = await Network.build(homes);
    try {
      const wishes = { ...PUBLIC, ...settings };
      return new Stage(await Server.start(wishes, network.hub.enter()), network);
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** @param {PersonOptions} options */
  async #launch({ devices = {}, firefox, trusts, home }) {
    if (firefox) return launchFirefox(await trusts?.profile());
    return launchChromium({
      ...devices,
      within: this.network?.homes[home ?? 0].place.enter(),
      home: await trusts?.home(),
    });
  }

  /**
   * @param {string} name
   * @param {PersonOptions} [options]
   */
  async person(name, options = {}) {
    const { devices, firefox, url, camera, trusts, home, ...context } = options;
    const key = JSON.stringify([devices, firefox, trusts?.folder, home]);
    let launched = this.#browsers.get(key);
    if (!launched) {
      launched = this.#launch(options);
      this.#browsers.set(key, launched);
    }
    const browser = /** @type {any} */ (await launched);
    const page = firefox ? await browser.newPage() : await chromiumPage(browser, context);
    if (camera) await page.addInitScript(wishSmall, CAMERAS[camera]);
    const person = new Person(page, name, url ?? this.url);
    this.people.push(person);
    return person;
  }

  get url() {
    return this.network ? `https://${SERVER_ADDRESS}` : this.server.url;
  }

  /**
   * They come in one after the other.
   * @param {string} room
   * @param {Person[]} people
   */
  async enter(room, people) {
    for (const person of people) await person.enter(room);
  }

  /**
   * Everybody sees and hears everybody else.
   * @param {Person[]} people
   */
  async allSeeAll(people) {
    for (const person of people) {
      await person.seesMoving(
        people.filter((other) => other !== person).map((other) => other.name),
      );
    }
  }

  /** @param {() => unknown} run at the end, whatever happens */
  after(run) {
    this.#afterwards.push(run);
  }

  /** @param {string} name of the scenario that failed */
  async record(name) {
    const folder = path.join(ROOT, 'out/e2e');
    const stem = path.join(folder, name.replaceAll(/[^\p{L}\p{N}]+/gu, '-'));
    await mkdir(folder, { recursive: true });
    await writeFile(`${stem}.log`, this.server.log);
    for (const [i, { page, name: who }] of this.people.entries()) {
      await page.screenshot({ path: `${stem}-${i + 1}-${who}.png` }).catch(() => {});
    }
  }

  async close() {
    try {
      // With everybody still there: a server is stopped while meetings are held.
      await this.server.close();
    } finally {
      for (const browser of this.#browsers.values()) {
        await browser.then((opened) => opened.close()).catch(() => {});
      }
      await this.network?.close();
      for (const run of this.#afterwards.reverse()) await run();
    }
  }
}

const CAMERAS = {
  vga: { width: 640, height: 480, frameRate: 15 },
  small: { width: 160, height: 90, frameRate: 8 },
  tiny: { width: 96, height: 54, frameRate: 4 },
};

/**
 * Runs in the page, before it: its wishes for the camera are lowered.
 * @param {MediaTrackConstraints} lower
 */
function wishSmall(lower) {
  const devices = navigator.mediaDevices;
  const getUserMedia = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wish = {}) =>
    getUserMedia({
      ...wish,
      video: wish.video ? lower : false,
    });
}

/**
 * @param {string} name
 * @param {(stage: Stage) => Promise<void>} play
 * @param {Record<string, string>} [settings] of the server, that are not as usual
 * @param {Setting} [setting]
 */
export function scenario(name, play, settings = {}, { homes = 0, skip = null } = {}) {
  test(name, { skip: skip ?? false }, async () => {
    const stage = await Stage.set(settings, homes);
    try {
      await play(stage);
      for (const person of stage.people) {
        assert.deepEqual(person.faults, [], `the page of ${person.name} threw`);
      }
    } catch (error) {
      await stage.record(name);
      throw error;
    } finally {
      await stage.close();
    }
  });
}

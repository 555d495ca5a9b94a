/**
 * The tests of one kind of clients: one server, one site and one browser for all that a file tests,
 * for each of them takes a while to start; each visitor has a browser context of its own.
 */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromiumPage, launchChromium } from '../lib/browsers.js';
import { ROOT, Server } from '../lib/server.js';
import { until } from '../lib/until.js';
import { Guest } from './guest.js';
import { Site } from './site.js';

/** @typedef {import('playwright-core').BrowserContextOptions} ContextOptions */

class House {
  server = /** @type {Server} */ (/** @type {unknown} */ (null));
  site = /** @type {Site} */ (/** @type {unknown} */ (null));
  /** @type {Guest[]} */
  guests = [];
  /** @type {(() => void)[]} */
  #afterwards = [];
  /** @type {Promise<import('playwright-core').Browser> | null} */
  #browser = null;
  #apart;
  #config;

  /**
   * @param {boolean} apart
   * @param {string} config
   */
  constructor(apart, config) {
    this.#apart = apart;
    this.#config = config;
  }

  async open() {
    this.server = await Server.start(this.#config ? { config: this.#config } : {});
    this.site = await Site.open();
  }

  /**
   * Somebody opens a page; only where its server is, it is told.
   * @param {string} name
   * @param {string} page its file
   * @param {Record<string, string>} [wishes] what a person would type or choose there
   * @param {ContextOptions} [options]
   * @param {(page: import('playwright-core').Page) => Promise<string>} [prepare] gives the origin
   *     that the page comes from
   */
  async guest(name, page, wishes = {}, options = {}, prepare = async () => this.site.url) {
    const guest = new Guest(await this.page(options), name);
    this.guests.push(guest);
    await guest.open((await prepare(guest.page)) + this.pagePath(page, wishes));
    return guest;
  }

  /** @param {ContextOptions} [options] */
  async page(options) {
    // Pages that only show others' pictures are not allowed to begin by themselves otherwise.
    const args = ['--autoplay-policy=no-user-gesture-required'];
    this.#browser ??= launchChromium({ args });
    return chromiumPage(await this.#browser, options);
  }

  /**
   * @param {string} page
   * @param {Record<string, string>} [wishes]
   */
  pagePath(page, wishes = {}) {
    const { http, stun } = this.server.ports;
    const words = { host: `localhost:${http}`, stun: `stun:127.0.0.1:${stun}`, ...wishes };
    return `/pages/${page}?${new URLSearchParams(words)}`;
  }

  /** @param {() => void} run when all go */
  afterwards(run) {
    this.#afterwards.push(run);
  }

  /** All who are there go, and the server has noticed, unless none of them could meet others. */
  async empty() {
    for (const run of this.#afterwards.splice(0)) run();
    const guests = this.guests.splice(0);
    for (const { page } of guests) await page.context().close();
    if (this.#apart) return;
    await until('the server to have no sessions', async () => {
      return (await this.server.metric('moim_sessions')) === 0;
    });
  }

  /** @param {string} name of the test that failed */
  async record(name) {
    const folder = path.join(ROOT, 'out/e2e');
    const stem = path.join(folder, name.replaceAll(/[^\p{L}\p{N}]+/gu, '-'));
    await mkdir(folder, { recursive: true });
    await writeFile(`${stem}.log`, this.server.log);
    for (const [i, { page, name: who }] of this.guests.entries()) {
      await page.screenshot({ path: `${stem}-${i + 1}-${who}.png` }).catch(() => {});
    }
  }

  async close() {
    await this.site?.close();
    try {
      await this.server?.close();
    } finally {
      await this.#browser?.then((browser) => browser.close()).catch(() => {});
    }
  }
}

/**
 * Opened before the first test of the file, and closed behind the last.
 * @param {{ apart?: boolean, config?: string }} [options] `apart`: the guests of different tests
 *     can't meet; `config`: a file in examples/
 */
export function openHouse({ apart = false, config = '' } = {}) {
  const house = new House(apart, config && path.join(ROOT, 'examples', config));
  before(() => house.open());
  after(() => house.close());
  return house;
}

/**
 * @param {House} house
 * @param {string} name
 * @param {(house: House) => Promise<void>} play
 */
export function visit(house, name, play) {
  test(name, async () => {
    try {
      await play(house);
      for (const guest of house.guests) {
        assert.deepEqual(guest.faults, [], `the page of ${guest.name} threw`);
      }
    } catch (error) {
      await house.record(name);
      throw error;
    } finally {
      await house.empty();
    }
  });
}

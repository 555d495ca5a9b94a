/**
 * Somebody at a page of the meeting, in whichever browser. Acts as a person would, by what the
 * page shows (`data-testid`), and looks behind it through `window.moim` where a person's eyes and
 * ears are better than a test's.
 *
 * @typedef {object} Picture of another member, as it arrives here
 * @property {string} id
 * @property {string} state of the tile
 * @property {number} frames decoded, as the connection counts them
 * @property {number} shown as the <video> element counts them (0 where a browser does not)
 * @property {number} time the <video> element's, in seconds
 * @property {number} colours how many different ones a small copy of the picture has
 * @property {string} print another picture has another print
 * @property {number} loudness all the sound's energy so far
 * @property {string} name
 */

import assert from 'node:assert/strict';
import { LIMIT_MS, until } from './until.js';

/** @param {string} testid */
export const hook = (testid) => `[data-testid="${testid}"]`;

export class Person {
  /** What went wrong in the page without anybody's catching it. */
  faults = /** @type {string[]} */ ([]);

  /**
   * @param {any} page of Playwright or Puppeteer
   * @param {string} name
   * @param {string} url of the server
   */
  constructor(page, name, url) {
    this.page = page;
    this.name = name;
    this.url = url;
    page.on('pageerror', (/** @type {Error} */ error) =>
      this.faults.push(error.stack ?? String(error)),
    );
  }

  /** @param {string} [path] */
  async open(path = '/') {
    await this.page.goto(this.url + path, { timeout: LIMIT_MS });
    await this.sees('lobby-join');
  }

  /**
   * Into a room, by its link, with a name, once the devices have answered.
   * @param {string} room
   */
  async enter(room) {
    await this.open(`/r/${encodeURIComponent(room)}`);
    await this.isReady();
    await this.fill('lobby-name', this.name);
    await this.click('lobby-join');
    await this.sees('leave');
  }

  /** The browser has been asked for camera and microphone, and has answered. */
  isReady() {
    return until(`${this.name}'s devices`, () =>
      this.ask(() => {
        const pressed = [...document.querySelectorAll('.preview-bar [aria-pressed]')];
        return (
          pressed.every((button) => button.getAttribute('aria-pressed') === 'true') ||
          document.querySelector('[data-testid="lobby-problem"]:not([hidden])') !== null
        );
      }),
    );
  }

  /**
   * @template T
   * @param {string | ((argument: any) => T)} look
   * @param {unknown} [argument]
   * @returns {Promise<Awaited<T>>}
   */
  ask(look, argument) {
    return this.page.evaluate(look, argument);
  }

  /** @param {string} testid */
  async click(testid) {
    await this.sees(testid);
    await this.page.click(hook(testid));
  }

  /**
   * @param {string} testid
   * @param {string} text
   */
  async fill(testid, text) {
    await this.sees(testid);
    if ('fill' in this.page) return this.page.fill(hook(testid), text);
    await this.ask((selector) => {
      const field = /** @type {HTMLInputElement} */ (document.querySelector(selector));
      field.focus();
      field.select();
    }, hook(testid));
    return this.page.keyboard.type(text);
  }

  /** @param {string} testid */
  isVisible(testid) {
    return this.ask(
      (selector) => Boolean(document.querySelector(selector)?.checkVisibility()),
      hook(testid),
    );
  }

  /** @param {string} testid */
  sees(testid) {
    return until(`${this.name} to see ${testid}`, () => this.isVisible(testid), {
      seen: () => this.ask(() => document.body.innerText),
    });
  }

  /** @param {string} testid */
  seesNo(testid) {
    return until(`${this.name} to see no ${testid}`, async () => !(await this.isVisible(testid)));
  }

  /**
   * @param {string} testid
   * @param {RegExp} text
   */
  reads(testid, text) {
    return until(
      `${this.name} to read ${text} in ${testid}`,
      async () => {
        const found = await this.read(testid);
        return found !== null && text.test(found);
      },
      { seen: () => this.read(testid) },
    );
  }

  /**
   * What stands there now; null when it can't be seen.
   * @param {string} testid
   */
  read(testid) {
    return this.ask((selector) => {
      const element = document.querySelector(selector);
      return element?.checkVisibility() ? element.textContent : null;
    }, hook(testid));
  }

  async openChat() {
    if (!(await this.isVisible('chat-input'))) await this.click('chat-toggle');
  }

  /** @param {string} text */
  async say(text) {
    await this.openChat();
    await this.fill('chat-input', text);
    await this.click('chat-send');
  }

  /** The chat's lines, as they have come from the server. */
  chat() {
    return this.ask(() =>
      [...document.querySelectorAll('[data-testid="chat-log"] li:not(.waiting) p')].map(
        (line) => line.textContent ?? '',
      ),
    );
  }

  /**
   * The chat has exactly these lines, in this order.
   * @param {string[]} lines
   */
  async hasChat(lines) {
    await this.openChat();
    await until(
      `${lines.length} lines in ${this.name}'s chat`,
      async () => (await this.chat()).length >= lines.length,
      { seen: () => this.chat() },
    );
    assert.deepEqual(await this.chat(), lines);
  }

  /** The other members' tiles: name to what the tile says of itself. */
  async tiles() {
    const entries = await this.ask(() =>
      [...document.querySelectorAll('[data-testid="tile"][data-self="false"]')].map((tile) => [
        tile.querySelector('.tile-text')?.textContent ?? '',
        { .../** @type {HTMLElement} */ (tile).dataset },
      ]),
    );
    return Object.fromEntries(entries);
  }

  /**
   * The tile of that name says so (`{ audio: 'false' }`).
   * @param {string} name
   * @param {Record<string, string>} marks
   */
  seesTile(name, marks) {
    return until(
      `${name}'s tile at ${this.name} to say ${JSON.stringify(marks)}`,
      async () => {
        const tile = (await this.tiles())[name];
        return tile && Object.entries(marks).every(([key, value]) => tile[key] === value);
      },
      { seen: () => this.tiles() },
    );
  }

  /**
   * Tiles are there for these others and for nobody else.
   * @param {string[]} names
   */
  seesOnly(names) {
    return until(
      `${this.name} to see only ${names.join(', ') || 'nobody'}`,
      async () =>
        Object.keys(await this.tiles())
          .sort()
          .join() === [...names].sort().join(),
      { seen: () => this.tiles() },
    );
  }

  /** @returns {Promise<Record<string, Picture>>} by name */
  async pictures() {
    const all = await this.ask(lookAtPictures);
    return Object.fromEntries(all.map((picture) => [picture.name, picture]));
  }

  /**
   * Each of these others is here with a picture that moves and a sound that goes on: frames are
   * decoded and shown, what is shown changes, and the sound gains energy. An event that says so
   * would prove nothing.
   * @param {string[]} names
   */
  async seesMoving(names) {
    const before = await this.pictures();
    await until(
      `${this.name} to see and hear ${names.join(', ')}`,
      async () => {
        const now = await this.pictures();
        return names.every(
          (name) => isMoving(before[name], now[name]) && isLoud(before[name], now[name]),
        );
      },
      { seen: async () => ({ before, now: await this.pictures() }) },
    );
  }

  /**
   * The sound alone: for members without a camera.
   * @param {string[]} names
   */
  async hears(names) {
    const before = await this.pictures();
    await until(
      `${this.name} to hear ${names.join(', ')}`,
      async () => {
        const now = await this.pictures();
        return names.every((name) => isLoud(before[name], now[name]));
      },
      { seen: async () => ({ before, now: await this.pictures() }) },
    );
  }

  /**
   * All media of the page comes that way, and by no other any more.
   * @param {'mesh' | 'sfu'} topology
   */
  isVia(topology) {
    const look = () =>
      this.ask(() => {
        // @ts-ignore - the page's own handle
        const { ways } = window.moim;
        return { topology: ways.topology, links: ways.links().map((/** @type {any} */ l) => l.id) };
      });
    return until(
      `${this.name}'s media to be ${topology}`,
      async () => {
        const { topology: now, links } = await look();
        return now === topology && links.every((/** @type {string} */ id) =>
          (id === '') === (topology === 'sfu'));
      },
      { seen: look },
    );
  }

  /** Somebody's shared screen is here, and frames of it are decoded. */
  seesScreen() {
    const look = () => this.ask(lookAtScreen);
    return until(
      `${this.name} to see a shared screen`,
      async () => {
        const screen = await look();
        return screen && screen.frames > 0 && screen.width > 0;
      },
      { seen: look },
    );
  }
}

/**
 * @param {Picture | undefined} before
 * @param {Picture | undefined} now
 */
function isMoving(before, now) {
  if (!isHere(now)) return false;
  const since = before?.id === now.id ? before : undefined;
  return (
    now.frames >= (since?.frames ?? 0) + 10 &&
    now.time > (since?.time ?? 0) &&
    now.colours > 3 &&
    now.print !== since?.print
  );
}

/**
 * @param {Picture | undefined} before
 * @param {Picture | undefined} now
 */
function isLoud(before, now) {
  return isHere(now) && now.loudness > (before?.id === now.id ? before.loudness : 0);
}

/**
 * @param {Picture | undefined} now
 * @returns {now is Picture}
 */
function isHere(now) {
  return now?.state === 'connected' || now?.state === 'poor';
}

/** Runs in the page. @returns {Promise<Picture[]>} */
async function lookAtPictures() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [32, 18];
  const paper = /** @type {CanvasRenderingContext2D} */ (
    canvas.getContext('2d', { willReadFrequently: true })
  );
  const all = [];
  for (const tile of document.querySelectorAll('[data-testid="tile"][data-self="false"]')) {
    const { member: id = '', state = '' } = /** @type {HTMLElement} */ (tile).dataset;
    const video = /** @type {HTMLVideoElement} */ (tile.querySelector('video'));
    const stream = /** @type {MediaStream | null} */ (video.srcObject);
    const track = stream?.getVideoTracks()[0];
    const audio = /** @type {HTMLAudioElement} */ (tile.querySelector('audio'));
    const sound = /** @type {MediaStream | null} */ (audio.srcObject)?.getAudioTracks()[0];
    let frames = 0;
    let loudness = 0;
    // @ts-ignore - the page's own handle
    for (const entry of (await window.moim.connection(id)?.getStats())?.values() ?? []) {
      if (entry.type !== 'inbound-rtp') continue;
      if (entry.trackIdentifier === sound?.id) loudness += entry.totalAudioEnergy ?? 0;
      if (entry.trackIdentifier === track?.id) frames += entry.framesDecoded ?? 0;
    }
    paper.fillRect(0, 0, canvas.width, canvas.height);
    if (video.videoWidth > 0) paper.drawImage(video, 0, 0, canvas.width, canvas.height);
    const dots = [
      ...new Uint32Array(paper.getImageData(0, 0, canvas.width, canvas.height).data.buffer),
    ];
    all.push({
      id,
      name: tile.querySelector('.tile-text')?.textContent ?? '',
      state,
      frames,
      shown: video.getVideoPlaybackQuality().totalVideoFrames,
      time: video.currentTime,
      colours: new Set(dots).size,
      print: String(dots.reduce((sum, dot) => (Math.imul(sum, 31) + dot) | 0, 7)),
      loudness,
    });
  }
  return all;
}

/** Runs in the page. @returns {Promise<{ frames: number, width: number } | null>} */
async function lookAtScreen() {
  const tile = /** @type {HTMLElement | null} */ (
    document.querySelector('[data-testid="screen-tile"]')
  );
  const video = tile?.querySelector('video');
  if (!tile || !video) return null;
  const stream = /** @type {MediaStream | null} */ (video.srcObject);
  const track = stream?.getVideoTracks()[0];
  let frames = 0;
  // @ts-ignore - the page's own handle
  for (const entry of (await window.moim.connection(tile.dataset.member).getStats()).values()) {
    if (entry.type === 'inbound-rtp' && entry.trackIdentifier === track?.id) {
      frames += entry.framesDecoded ?? 0;
    }
  }
  return { frames, width: video.videoWidth };
}

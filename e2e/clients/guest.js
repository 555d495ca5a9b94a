/**
 * Somebody at a client's page. The page knows nothing of tests: what it receives is asked of its
 * RTCPeerConnections, which are noted down as the page makes them, and of its <video> elements.
 *
 * @typedef {object} Line an RTCPeerConnection that is connected
 * @property {number} frames decoded
 * @property {number} loudness all the sound's energy so far
 */

import { LIMIT_MS, until } from '../lib/until.js';

const FRAMES = 10;

export class Guest {
  /** What went wrong in the page without anybody's catching it. */
  faults = /** @type {string[]} */ ([]);
  /** The addresses of the WebSockets that it has opened. */
  sockets = /** @type {string[]} */ ([]);
  /** Engine.IO has gone from polling to a WebSocket. */
  wentOver = false;

  /**
   * @param {import('playwright-core').Page} page
   * @param {string} name
   */
  constructor(page, name) {
    this.page = page;
    this.name = name;
    page.on('websocket', (socket) => {
      this.sockets.push(socket.url());
      socket.on('framesent', ({ payload }) => {
        this.wentOver ||= payload === '5';
      });
    });
    page.on('pageerror', (error) => this.faults.push(error.stack ?? String(error)));
  }

  /** @param {string} url */
  async open(url) {
    await this.page.addInitScript(noteConnections);
    await this.page.goto(url, { timeout: LIMIT_MS });
  }

  /** @param {string} id */
  async click(id) {
    await this.page.click(`#${id}`);
  }

  /**
   * The element says so.
   * @param {string} id
   * @param {string | RegExp} text
   */
  reads(id, text) {
    return until(
      `${this.name} to read ${text} in #${id}`,
      async () => {
        const found = await this.read(id);
        return typeof text === 'string' ? found === text : text.test(found);
      },
      { seen: () => this.page.evaluate(() => document.body.innerText) },
    );
  }

  /** @param {string} id @returns {Promise<string>} */
  read(id) {
    return this.page.evaluate((which) => document.getElementById(which)?.textContent ?? '', id);
  }

  /**
   * This many others are seen and heard, each on a connection of its own: from now on frames are
   * decoded and the sound gains energy on all of them, and as many pictures move in the page.
   * @param {number} count
   */
  async receives(count) {
    const before = new Map((await this.look()).lines);
    await until(
      `${this.name} to see and hear ${count}`,
      async () => {
        const { lines, pictures } = await this.look();
        const alive = lines.filter(([id, line]) => isAlive(before.get(id), line));
        return alive.length === count && pictures >= count;
      },
      { seen: () => this.look() },
    );
  }

  /** @returns {Promise<{ lines: [number, Line][], made: number, pictures: number }>} */
  look() {
    return this.page.evaluate(lookAtLines);
  }
}

/**
 * @param {Line | undefined} before
 * @param {Line} now
 */
function isAlive(before, now) {
  return (
    now.frames >= (before?.frames ?? 0) + FRAMES && now.loudness > (before?.loudness ?? 0)
  );
}

/** Runs in the page before its own scripts; small pictures, for the machine is small. */
function noteConnections() {
  const Original = RTCPeerConnection;
  const made = /** @type {RTCPeerConnection[]} */ ([]);
  Object.assign(window, {
    connectionsMade: made,
    RTCPeerConnection: class extends Original {
      /** @param {RTCConfiguration} [settings] */
      constructor(settings) {
        super(settings);
        made.push(this);
      }
    },
  });
  const devices = navigator.mediaDevices;
  const getUserMedia = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wish = {}) =>
    getUserMedia({
      ...wish,
      video: wish.video ? { width: 320, height: 180, frameRate: 8 } : false,
    });
}

/** Runs in the page. */
async function lookAtLines() {
  // @ts-ignore - put there by noteConnections
  const made = /** @type {RTCPeerConnection[]} */ (window.connectionsMade);
  const lines = /** @type {[number, { frames: number, loudness: number }][]} */ ([]);
  for (const [id, connection] of made.entries()) {
    if (connection.connectionState !== 'connected') continue;
    const line = { frames: 0, loudness: 0 };
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type !== 'inbound-rtp') continue;
      line.frames += entry.framesDecoded ?? 0;
      line.loudness += entry.totalAudioEnergy ?? 0;
    }
    lines.push([id, line]);
  }
  const videos = /** @type {NodeListOf<HTMLVideoElement>} */ (
    document.querySelectorAll('video.remote')
  );
  const pictures = [...videos].filter(
    ({ videoWidth, currentTime }) => videoWidth > 0 && currentTime > 0,
  ).length;
  return { lines, made: made.length, pictures };
}

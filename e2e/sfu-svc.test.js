/**
 * Scalable video through the server: one stream with all its layers comes from a page that sends
 * VP9 or AV1 so; who watches gets what its window takes of it, and no picture stands still for
 * that.
 */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

/** A camera of three layers, which is not too much for two cores. */
const CAMERA = { width: 960, height: 540, frameRate: 12 };
const LARGE = { width: 1400, height: 900 };
const SMALL = { width: 340, height: 420 };

const KEYS_A_SECOND = 2; // that an encoder makes which takes up a layer again, and is asked, too

/**
 * Runs in the page, before it: its camera is sent in this codec and mode, in place of a simulcast.
 * @param {{ codec: string, mode: string }} wishes
 */
function sendScalable({ codec, mode }) {
  const { addTransceiver } = RTCPeerConnection.prototype;
  /** @this {RTCPeerConnection} @param {any} track @param {any} init */
  RTCPeerConnection.prototype.addTransceiver = function add(track, init = {}) {
    if ((init.sendEncodings ?? []).length < 2) return addTransceiver.call(this, track, init);
    const encoding = /** @type {any} */ ({ scalabilityMode: mode, maxBitrate: 1_500_000 });
    const transceiver = addTransceiver.call(this, track, { ...init, sendEncodings: [encoding] });
    const { codecs } = /** @type {RTCRtpCapabilities} */ (RTCRtpSender.getCapabilities('video'));
    const wanted = codecs.filter(({ mimeType, sdpFmtpLine = '' }) =>
      (mimeType === codec && !/profile-id=[123]|profile=[12]/.test(sdpFmtpLine))
      || mimeType === 'video/rtx');
    transceiver.setCodecPreferences(wanted);
    return transceiver;
  };
}

/** Chromium makes sizes that can be divided. @param {number} width */
function isLarge(width) {
  return width > CAMERA.width * 0.95;
}

/** Runs in the page, before it: to the server it does not know dependency descriptors. */
function knowNoDescriptors() {
  const { send } = WebSocket.prototype;
  /** @param {any} data */
  WebSocket.prototype.send = function sendLess(data) {
    const line = /a=extmap:\d+ [^\\]*dependency-descriptor[^\\]*\\r\\n/g;
    send.call(this, typeof data === 'string' ? data.replace(line, '') : data);
  };
}

/** Runs in the page that sends: its video. */
async function lookAtSent() {
  // @ts-ignore - the page's own handle
  const { connection } = window.moim.ways.sfu;
  const reports = /** @type {any[]} */ ([...(await connection.getStats()).values()]);
  const sent = reports.find(({ type, kind }) => type === 'outbound-rtp' && kind === 'video');
  const codec = reports.find(({ id }) => id === sent?.codecId)?.mimeType;
  const { scalabilityMode, keyFramesEncoded, framesSent, frameWidth, pliCount } = sent ?? {};
  return { codec, scalabilityMode, keyFramesEncoded, framesSent, frameWidth, pliCount };
}

/** Runs in the page that watches: the video that comes. */
async function lookAtSeen() {
  // @ts-ignore - the page's own handle
  const { connection } = window.moim.ways.sfu;
  const reports = /** @type {any[]} */ ([...(await connection.getStats()).values()]);
  const seen = reports.filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  const first = seen.find(({ framesDecoded }) => framesDecoded > 0) ?? { framesDecoded: 0 };
  const { frameWidth, framesReceived, framesDecoded, keyFramesDecoded } = first;
  const { packetsReceived, framesDropped, freezeCount, pliCount } = first;
  return {
    frameWidth, framesReceived, framesDecoded, keyFramesDecoded, packetsReceived, framesDropped,
    freezeCount, pliCount,
  };
}

/** Runs in the page, before it. @param {MediaTrackConstraints} camera */
function film(camera) {
  const devices = navigator.mediaDevices;
  const getUserMedia = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wish = {}) =>
    getUserMedia({ ...wish, video: wish.video ? camera : false });
}

/**
 * @param {string} codec
 * @param {string} mode
 * @param {number} most how wide a small picture may be
 * @param {string} [setting] the room's; without it, the page is made to send so
 */
function watches(codec, mode, most, setting) {
  scenario(
    `${codec.slice(6)} ${mode}${setting ? ` by ${setting}` : ''}: what is seen follows the window`,
    async (stage) => {
      const mina = await stage.person('Mina');
      const jun = await stage.person('Jun', { camera: 'tiny' });
      await mina.page.addInitScript(film, CAMERA);
      if (!setting) await mina.page.addInitScript(sendScalable, { codec, mode });
      await jun.page.setViewportSize(LARGE);
      await stage.enter('layers', [mina, jun]);
      for (const person of [mina, jun]) await person.isVia('sfu');
      const sent = await until(
        'all of it to be sent',
        async () => {
          const now = await mina.ask(lookAtSent);
          return now.framesSent > 30 && isLarge(now.frameWidth) && now;
        },
        { seen: () => mina.ask(lookAtSent) },
      );
      assert.equal(sent.codec, codec);
      assert.equal(sent.scalabilityMode, mode);
      /** @param {string} what @param {(width: number) => boolean} fits */
      const untilSeen = async (what, fits) => {
        const { framesDecoded } = await jun.ask(lookAtSeen);
        await until(
          what,
          async () => {
            const now = await jun.ask(lookAtSeen);
            return fits(now.frameWidth) && now.framesDecoded > framesDecoded + 10;
          },
          { seen: () => jun.ask(lookAtSeen) },
        );
      };
      await untilSeen('a large picture', isLarge);
      const before = { sent: await mina.ask(lookAtSent), seen: await jun.ask(lookAtSeen) };
      const began = performance.now();
      await jun.page.setViewportSize(SMALL);
      await untilSeen('a small picture', (width) => width <= most);
      await jun.page.setViewportSize(LARGE);
      await untilSeen('a large picture again', isLarge);
      const after = { sent: await mina.ask(lookAtSent), seen: await jun.ask(lookAtSeen) };
      const keys = after.sent.keyFramesEncoded - before.sent.keyFramesEncoded;
      const asked = (after.seen.pliCount ?? 0) - (before.seen.pliCount ?? 0);
      const seconds = (performance.now() - began) / 1000;
      assert.ok(keys <= 4 + KEYS_A_SECOND * seconds, `${keys} key frames in ${seconds} s`);
      /* who can't decode what comes asks three times a second */
      assert.ok(asked <= 4 + seconds / 4, `${asked} wishes for a key frame in ${seconds} s`);
    },
    { 'rooms.topology': 'sfu', 'rooms.camera': setting ?? 'simulcast', workers: '1' },
  );
}

/** Browsers make no picture of AV1 with several sizes without descriptors: they get one of them. */
function watchesWithoutDescriptors() {
  scenario(
    'AV1 L3T3_KEY: who knows no dependency descriptors sees it, too',
    async (stage) => {
      const mina = await stage.person('Mina');
      const jun = await stage.person('Jun', { camera: 'tiny' });
      await mina.page.addInitScript(film, CAMERA);
      await jun.page.addInitScript(knowNoDescriptors);
      await jun.page.setViewportSize(LARGE);
      await stage.enter('layers', [mina, jun]);
      for (const person of [mina, jun]) await person.isVia('sfu');
      await until('all of it to be sent', async () =>
        isLarge((await mina.ask(lookAtSent)).frameWidth));
      const { framesDecoded, pliCount } = await jun.ask(lookAtSeen);
      const began = performance.now();
      await until(
        'pictures, one behind the other',
        async () => (await jun.ask(lookAtSeen)).framesDecoded > framesDecoded + 60,
        { seen: () => jun.ask(lookAtSeen) },
      );
      const seen = await jun.ask(lookAtSeen);
      assert.ok(seen.frameWidth <= CAMERA.width / 4, `${seen.frameWidth} wide`);
      const asked = (seen.pliCount ?? 0) - (pliCount ?? 0);
      const seconds = (performance.now() - began) / 1000;
      assert.ok(asked <= 4 + seconds / 4, `${asked} wishes for a key frame in ${seconds} s`);
    },
    { 'rooms.topology': 'sfu', 'rooms.camera': 'av1-svc', workers: '1' },
  );
}

/**
 * Of W3C's "Scalable Video Coding (SVC) Extension for WebRTC", those that Chromium takes. AV1's S3
 * it takes, but codes some pictures and then none, also without a server.
 */
const MODES = [
  'L1T1', 'L1T2', 'L1T3', 'L2T1', 'L2T1h', 'L2T1_KEY', 'L2T2', 'L2T2h', 'L2T2_KEY',
  'L2T2_KEY_SHIFT', 'L2T3', 'L2T3h', 'L2T3_KEY', 'L3T1', 'L3T1h', 'L3T1_KEY', 'L3T2', 'L3T2h',
  'L3T2_KEY', 'L3T3', 'L3T3h', 'L3T3_KEY', 'S2T1', 'S2T1h', 'S2T2', 'S2T2h', 'S2T3', 'S2T3h',
  'S3T1', 'S3T1h', 'S3T2', 'S3T2h', 'S3T3', 'S3T3h',
];

/** How wide the picture below the largest is. @param {string} mode */
function widthBelow(mode) {
  if (mode.startsWith('L1')) return CAMERA.width;
  return mode.endsWith('h') ? (CAMERA.width * 2) / 3 : CAMERA.width / 2;
}

/* in their place, by hand: SVC_MODES=all, or VP9:L2T2h,AV1:S3T3 */
const { SVC_MODES } = process.env;
if (SVC_MODES) {
  const all = ['VP9', 'AV1'].flatMap((codec) => MODES.map((mode) => `${codec}:${mode}`));
  for (const one of SVC_MODES === 'all' ? all : SVC_MODES.split(',')) {
    const [codec, mode] = one.split(':');
    watches(`video/${codec}`, mode, widthBelow(mode));
  }
} else {
  /* by layers of time alone: tests/decode; here the page by itself, where the room asks for it */
  watches('video/VP9', 'L3T3_KEY', CAMERA.width / 2, 'vp9-svc');
  watches('video/AV1', 'L3T3_KEY', CAMERA.width / 2);
  watchesWithoutDescriptors();
}

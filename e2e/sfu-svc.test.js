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
          return now.framesSent > 30 && now.frameWidth === CAMERA.width && now;
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
      await untilSeen('a large picture', (width) => width === CAMERA.width);
      const before = { sent: await mina.ask(lookAtSent), seen: await jun.ask(lookAtSeen) };
      const began = performance.now();
      await jun.page.setViewportSize(SMALL);
      await untilSeen('a small picture', (width) => width <= most);
      await jun.page.setViewportSize(LARGE);
      await untilSeen('a large picture again', (width) => width === CAMERA.width);
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

/* the page by itself, where the room asks for it */
watches('video/VP9', 'L3T3_KEY', CAMERA.width / 2, 'vp9-svc');
watches('video/VP9', 'L1T3', CAMERA.width);
watches('video/AV1', 'L3T3_KEY', CAMERA.width / 2);
watches('video/AV1', 'L1T3', CAMERA.width);

/**
 * One's own microphone, camera and screen: asked for, switched, lost and found again. Muting the
 * microphone keeps it open (so that it is back at once); a camera that is off is really released,
 * and its light goes out. It never touches the DOM.
 *
 * @typedef {import('./problems.js').Device} Device
 * @typedef {import('./problems.js').Reason} Reason
 * @typedef {import('../rtc/slots.js').Slot} Slot
 *
 * @typedef {object} LocalHandlers
 * @property {(slot: Slot) => void} changed
 * @property {(device: Device, reason: Reason) => void} problem
 */

import { isOwnFault, reasonOf } from './problems.js';
import { recall, remember } from '../remember.js';

/** @param {string} deviceId */
const audioWish = (deviceId) => ({
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  ...(deviceId ? { deviceId: { ideal: deviceId } } : {}),
});

/** @param {string} deviceId */
const videoWish = (deviceId) => ({
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
  ...(deviceId ? { deviceId: { ideal: deviceId } } : { facingMode: 'user' }),
});

export class LocalMedia {
  /** @type {Record<Slot, MediaStreamTrack | null>} */
  tracks = { mic: null, camera: null, screen: null, screenAudio: null };
  micId = recall('mic');
  cameraId = recall('camera');
  speakerId = recall('speaker');
  #micOn = true;
  #on;

  /** @param {LocalHandlers} handlers */
  constructor(handlers) {
    this.#on = handlers;
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#devicesChanged());
  }

  /** What the others are told. */
  get flags() {
    return {
      audio: Boolean(this.tracks.mic?.enabled),
      video: Boolean(this.tracks.camera),
      screen: Boolean(this.tracks.screen),
    };
  }

  get canShare() {
    return Boolean(navigator.mediaDevices?.getDisplayMedia);
  }

  /**
   * Asks for both with one question to the person; when that fails, for each alone, so that a
   * missing camera does not cost the microphone.
   */
  async openBoth() {
    try {
      const stream = await ask({ audio: audioWish(this.micId), video: videoWish(this.cameraId) });
      this.#take('mic', stream.getAudioTracks()[0] ?? null);
      this.#take('camera', stream.getVideoTracks()[0] ?? null);
    } catch (error) {
      const reason = reasonOf(error, 'camera');
      if (isOwnFault(reason)) {
        await this.openMic();
        await this.openCamera();
      } else {
        this.#on.problem('mic', reason);
        this.#on.problem('camera', reason);
      }
    }
  }

  /** @returns {Promise<boolean>} whether there is a microphone now */
  async openMic() {
    try {
      const stream = await ask({ audio: audioWish(this.micId) });
      this.#take('mic', stream.getAudioTracks()[0] ?? null);
      return true;
    } catch (error) {
      this.#on.problem('mic', reasonOf(error, 'mic'));
      return false;
    }
  }

  /** @returns {Promise<boolean>} */
  async openCamera() {
    try {
      const stream = await ask({ video: videoWish(this.cameraId) });
      this.#take('camera', stream.getVideoTracks()[0] ?? null);
      return true;
    } catch (error) {
      this.#on.problem('camera', reasonOf(error, 'camera'));
      return false;
    }
  }

  /** @param {boolean} on */
  async setMic(on) {
    this.#micOn = on;
    if (on && !this.tracks.mic && !(await this.openMic())) return;
    if (this.tracks.mic) this.tracks.mic.enabled = on;
    this.#on.changed('mic');
  }

  /** @param {boolean} on */
  async setCamera(on) {
    if (on && !this.tracks.camera) await this.openCamera();
    if (!on) this.#take('camera', null);
  }

  /** @param {boolean} on */
  async setScreen(on) {
    if (!on) {
      this.#take('screenAudio', null);
      this.#take('screen', null);
      return;
    }
    try {
      if (!navigator.mediaDevices) throw insecure();
      const stream = await navigator.mediaDevices.getDisplayMedia({
        video: { frameRate: { ideal: 15, max: 30 } },
        audio: true,
      });
      const [video] = stream.getVideoTracks();
      if (video) video.contentHint = 'detail'; // letters before motion
      this.#take('screenAudio', stream.getAudioTracks()[0] ?? null);
      this.#take('screen', video ?? null);
    } catch (error) {
      const reason = reasonOf(error, 'screen');
      if (reason !== 'cancelled') this.#on.problem('screen', reason);
    }
  }

  /**
   * @param {'mic' | 'camera' | 'speaker'} kind
   * @param {string} deviceId
   */
  async choose(kind, deviceId) {
    remember(kind, deviceId);
    if (kind === 'speaker') {
      this.speakerId = deviceId;
    } else if (kind === 'mic') {
      this.micId = deviceId;
      if (this.tracks.mic) await this.openMic();
    } else {
      this.cameraId = deviceId;
      if (!this.tracks.camera) return;
      this.#take('camera', null); // some cameras can't be opened while another one is
      await this.openCamera();
    }
  }

  /** Everything is given back; lights go out. */
  close() {
    for (const slot of /** @type {Slot[]} */ (Object.keys(this.tracks))) {
      if (this.tracks[slot]) this.#take(slot, null);
    }
  }

  /**
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  #take(slot, track) {
    const old = this.tracks[slot];
    if (old === track) return;
    if (old) {
      old.onended = null;
      old.stop();
    }
    this.tracks[slot] = track;
    if (track) {
      if (slot === 'mic') track.enabled = this.#micOn;
      track.onended = () => this.#ended(slot, track);
    }
    this.#on.changed(slot);
  }

  /**
   * A device was pulled out, or the browser's own bar stopped the share.
   * @param {Slot} slot
   * @param {MediaStreamTrack} track
   */
  #ended(slot, track) {
    if (this.tracks[slot] !== track) return;
    this.#take(slot, null);
    if (slot === 'screen') this.#take('screenAudio', null);
    // Another microphone or camera may be there: the browser chooses.
    if (slot === 'mic') this.openMic();
    if (slot === 'camera') this.openCamera();
  }

  /** The chosen device was plugged in again: go back to it. */
  async #devicesChanged() {
    const devices = await listDevices();
    const back = (/** @type {MediaDeviceInfo[]} */ list, /** @type {string} */ id,
      /** @type {MediaStreamTrack | null} */ track) =>
      Boolean(track && id && track.getSettings().deviceId !== id
        && list.some((device) => device.deviceId === id));
    if (back(devices.mics, this.micId, this.tracks.mic)) await this.openMic();
    if (back(devices.cameras, this.cameraId, this.tracks.camera)) await this.openCamera();
  }
}

function insecure() {
  const error = new Error('no media devices on an insecure origin');
  return Object.assign(error, { name: 'InsecureOrigin' });
}

/** @param {MediaStreamConstraints} constraints */
function ask(constraints) {
  if (!navigator.mediaDevices) return Promise.reject(insecure());
  return navigator.mediaDevices.getUserMedia(constraints);
}

/**
 * What can be chosen from. Labels are empty until a permission was given.
 * @returns {Promise<{ mics: MediaDeviceInfo[], cameras: MediaDeviceInfo[],
 *   speakers: MediaDeviceInfo[] }>}
 */
export async function listDevices() {
  const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
  const known = all.filter((device) => device.deviceId !== '');
  return {
    mics: known.filter((device) => device.kind === 'audioinput'),
    cameras: known.filter((device) => device.kind === 'videoinput'),
    speakers: known.filter((device) => device.kind === 'audiooutput'),
  };
}

/**
 * Audio only: no pictures are received, and, where one likes, none is sent either. Remembered on
 * this device. A camera that was turned off by this comes back with the pictures, but not when its
 * owner has touched it meanwhile.
 */

import { recall, remember } from './remember.js';

export class AudioOnly {
  isOn = recall('audioOnly') === 'on';
  withCamera = recall('audioOnlyCamera') === 'on';
  #local;
  #changed;
  #tookCamera = false;

  /**
   * @param {{ flags: { video: boolean }, setCamera: (on: boolean) => unknown }} local
   * @param {() => void} changed
   */
  constructor(local, changed) {
    this.#local = local;
    this.#changed = changed;
  }

  /** The meeting begins: as it was left the last time. */
  start() {
    this.#settleCamera();
  }

  /** @param {boolean} isOn */
  set(isOn) {
    if (isOn === this.isOn) return;
    this.isOn = isOn;
    remember('audioOnly', isOn ? 'on' : '');
    this.#settleCamera();
    this.#changed();
  }

  /** @param {boolean} withCamera one's own is off, too */
  setWithCamera(withCamera) {
    if (withCamera === this.withCamera) return;
    this.withCamera = withCamera;
    remember('audioOnlyCamera', withCamera ? 'on' : '');
    this.#settleCamera();
    this.#changed();
  }

  /** One's own camera went on or off, by whomever. */
  cameraChanged() {
    if (this.#local.flags.video) this.#tookCamera = false;
  }

  #settleCamera() {
    const isTaken = this.isOn && this.withCamera;
    if (isTaken && this.#local.flags.video) {
      this.#tookCamera = true;
      this.#local.setCamera(false);
    } else if (!isTaken && this.#tookCamera) {
      this.#tookCamera = false;
      this.#local.setCamera(true);
    }
  }
}

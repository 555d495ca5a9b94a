/** The choice of microphone, camera and loudspeaker: in the lobby and in the settings. */

import { t } from '../i18n.js';
import { listDevices } from '../media/local.js';
import { h } from './dom.js';

/** @typedef {'mic' | 'camera' | 'speaker'} Kind */

export class DevicePickers {
  #local;
  #chosen;
  #selects = {
    mic: this.#select('mic'),
    camera: this.#select('camera'),
    speaker: this.#select('speaker'),
  };
  #fields;
  element;

  /**
   * @param {import('../media/local.js').LocalMedia} local
   * @param {(kind: Kind) => void} chosen after the choice took effect
   */
  constructor(local, chosen) {
    this.#local = local;
    this.#chosen = chosen;
    /** @param {Kind} kind */
    const field = (kind) => h('label', { class: 'field' },
      h('span', {}, t(kind)), this.#selects[kind]);
    this.#fields = { mic: field('mic'), camera: field('camera'), speaker: field('speaker') };
    // Only some browsers can choose where the sound goes.
    this.#fields.speaker.hidden = !('setSinkId' in HTMLMediaElement.prototype);
    this.element = h('div', { class: 'devices' },
      this.#fields.mic, this.#fields.camera, this.#fields.speaker);
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.refresh());
    this.refresh();
  }

  async refresh() {
    const { mics, cameras, speakers } = await listDevices();
    const { tracks } = this.#local;
    /** @param {MediaStreamTrack | null} track */
    const used = (track) => track?.getSettings().deviceId ?? '';
    this.#fill('mic', mics, used(tracks.mic) || this.#local.micId);
    this.#fill('camera', cameras, used(tracks.camera) || this.#local.cameraId);
    this.#fill('speaker', speakers, this.#local.speakerId);
  }

  /**
   * @param {Kind} kind
   * @returns {HTMLSelectElement}
   */
  #select(kind) {
    const select = h('select', {
      'data-testid': `${kind}-select`,
      change: async () => {
        await this.#local.choose(kind, select.value);
        await this.refresh();
        this.#chosen(kind);
      },
    });
    return select;
  }

  /**
   * @param {Kind} kind
   * @param {MediaDeviceInfo[]} devices
   * @param {string} chosen
   */
  #fill(kind, devices, chosen) {
    const select = this.#selects[kind];
    const options = devices.map((device, i) =>
      h('option', { value: device.deviceId }, device.label || `${t(kind)} ${i + 1}`));
    if (kind === 'speaker' && !devices.some((device) => device.deviceId === 'default')) {
      options.unshift(h('option', { value: '' }, t('systemDefault')));
    }
    if (options.length === 0) options.push(h('option', { value: '' }, t('noDevices')));
    select.replaceChildren(...options);
    select.disabled = devices.length === 0 && kind !== 'speaker';
    if (devices.some((device) => device.deviceId === chosen)) select.value = chosen;
  }
}

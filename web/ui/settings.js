/** The settings: devices, and the keys that the page knows. A native dialog holds the focus. */

import { t } from '../i18n.js';
import { DevicePickers } from './devices.js';
import { h } from './dom.js';
import { icon } from './icons.js';
import { altShortcut, shortcut } from './toolbar.js';

/** @type {[string, import('../i18n.js').Key][]} */
const KEYS = [
  [shortcut('D'), 'keyMic'],
  [shortcut('E'), 'keyCamera'],
  [altShortcut('H'), 'keyHand'],
  [altShortcut('C'), 'keyChat'],
  [altShortcut('A'), 'keyAudioOnly'],
  ['Esc', 'keyEscape'],
];

export class Settings {
  #pickers;
  #audioOnly;
  #isOn = h('input', {
    type: 'checkbox', role: 'switch', 'data-testid': 'audio-only',
    'aria-describedby': 'audio-only-hint', change: () => this.#audioOnly.set(this.#isOn.checked),
  });
  #withCamera = h('input', {
    type: 'checkbox', role: 'switch', 'data-testid': 'audio-only-camera',
    change: () => this.#audioOnly.setWithCamera(this.#withCamera.checked),
  });

  /**
   * @param {import('../media/local.js').LocalMedia} local
   * @param {(kind: import('./devices.js').Kind) => void} chosen
   * @param {import('../audio-only.js').AudioOnly} audioOnly
   */
  constructor(local, chosen, audioOnly) {
    this.#audioOnly = audioOnly;
    this.#pickers = new DevicePickers(local, chosen);
    this.element = h('dialog', {
      class: 'dialog', 'aria-labelledby': 'settings-title', 'data-testid': 'settings',
    },
      h('header', {},
        h('h2', { id: 'settings-title' }, t('settings')),
        h('button', {
          class: 'button quiet square', type: 'button', 'aria-label': t('close'),
          click: () => this.element.close(),
        }, icon('close'))),
      this.#pickers.element,
      h('label', { class: 'switch' }, h('span', {}, t('audioOnly')), this.#isOn),
      h('p', { class: 'hint', id: 'audio-only-hint' }, t('audioOnlyHint')),
      h('label', { class: 'switch' }, h('span', {}, t('audioOnlyCamera')), this.#withCamera),
      h('h3', {}, t('shortcuts')),
      h('dl', { class: 'keys' }, ...KEYS.flatMap(([keys, what]) =>
        [h('dt', {}, h('kbd', {}, keys)), h('dd', {}, t(what))])));
  }

  /** What it shows is as it is now. */
  settle() {
    this.#isOn.checked = this.#audioOnly.isOn;
    this.#withCamera.checked = this.#audioOnly.withCamera;
    this.#withCamera.disabled = !this.#audioOnly.isOn;
  }

  open() {
    this.#pickers.refresh();
    this.settle();
    this.element.showModal();
  }
}

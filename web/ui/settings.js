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
  ['Esc', 'keyEscape'],
];

export class Settings {
  #pickers;

  /**
   * @param {import('../media/local.js').LocalMedia} local
   * @param {(kind: import('./devices.js').Kind) => void} chosen
   */
  constructor(local, chosen) {
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
      h('h3', {}, t('shortcuts')),
      h('dl', { class: 'keys' }, ...KEYS.flatMap(([keys, what]) =>
        [h('dt', {}, h('kbd', {}, keys)), h('dd', {}, t(what))])));
  }

  open() {
    this.#pickers.refresh();
    this.element.showModal();
  }
}

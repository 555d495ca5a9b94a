/**
 * The bar of controls. A toggle keeps its name and tells its state by `aria-pressed`; the tooltip
 * says what a press would do.
 *
 * @typedef {import('../i18n.js').Key} Key
 * @typedef {import('./icons.js').IconName} IconName
 * @typedef {'mic' | 'camera' | 'screen' | 'hand' | 'chat'} ToggleName
 */

import { t } from '../i18n.js';
import { h } from './dom.js';
import { icon } from './icons.js';

export const isMac = /mac|iphone|ipad/i.test(globalThis.navigator?.platform ?? '');

/** @param {string} key a letter */
export const shortcut = (key) => (isMac ? `⌘${key}` : `Ctrl+${key}`);

/** @param {string} key */
export const altShortcut = (key) => (isMac ? `⌥${key}` : `Alt+${key}`);

/** @type {{ name: ToggleName, testid: string, label: Key, on: Key, off: Key,
 *   icons: [IconName, IconName], keys: string }[]} */
const TOGGLES = [
  {
    name: 'mic', testid: 'mic', label: 'toolMic', on: 'micOff', off: 'micOn',
    icons: ['mic', 'micOff'], keys: shortcut('D'),
  },
  {
    name: 'camera', testid: 'cam', label: 'toolCamera', on: 'cameraOff', off: 'cameraOn',
    icons: ['camera', 'cameraOff'], keys: shortcut('E'),
  },
  {
    name: 'screen', testid: 'screen', label: 'toolScreen', on: 'shareStop', off: 'shareStart',
    icons: ['screen', 'screen'], keys: '',
  },
  {
    name: 'hand', testid: 'hand', label: 'toolHand', on: 'handDown', off: 'handUp',
    icons: ['hand', 'hand'], keys: altShortcut('H'),
  },
  {
    name: 'chat', testid: 'chat-toggle', label: 'chat', on: 'close', off: 'chat',
    icons: ['chat', 'chat'], keys: altShortcut('C'),
  },
];

export class Toolbar {
  /** @type {Map<ToggleName, HTMLButtonElement>} */
  #buttons = new Map();
  #badge = h('span', { class: 'badge', hidden: true, 'data-testid': 'chat-unread' });

  /** @param {Record<ToggleName | 'leave', () => void>} on */
  constructor(on) {
    this.element = h('div', { class: 'toolbar', role: 'toolbar', 'aria-label': t('controls') });
    for (const { name, testid, label } of TOGGLES) {
      const button = h('button', {
        class: `tool tool-${name}`, type: 'button', 'data-testid': testid, click: on[name],
      }, h('span', { class: 'tool-icon' }), h('span', { class: 'tool-label' }, t(label)));
      this.#buttons.set(name, button);
      this.element.append(button);
      this.set(name, false);
    }
    this.#buttons.get('chat')?.append(this.#badge);
    this.element.append(h('button', {
      class: 'tool tool-leave', type: 'button', 'data-testid': 'leave', title: t('leave'),
      click: on.leave,
    },
    h('span', { class: 'tool-icon' }, icon('leave')),
    h('span', { class: 'tool-label' }, t('leave'))));
  }

  /**
   * @param {ToggleName} name
   * @param {boolean} on
   */
  set(name, on) {
    const button = this.#buttons.get(name);
    const entry = TOGGLES.find((toggle) => toggle.name === name);
    if (!button || !entry) return;
    button.setAttribute('aria-pressed', String(on));
    const verb = t(on ? entry.on : entry.off);
    button.title = entry.keys ? `${verb} (${entry.keys})` : verb;
    button.firstElementChild?.replaceChildren(icon(entry.icons[on ? 0 : 1]));
  }

  /** @param {ToggleName} name */
  button(name) {
    return this.#buttons.get(name);
  }

  /** @param {ToggleName} name */
  hide(name) {
    const button = this.#buttons.get(name);
    if (button) button.hidden = true;
  }

  /** @param {number} count unread messages */
  setUnread(count) {
    this.#badge.hidden = count === 0;
    this.#badge.textContent = count > 99 ? '99+' : String(count);
    this.#badge.setAttribute('aria-label', t('chatUnread', { count }));
  }
}

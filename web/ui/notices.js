/**
 * What the page says by itself: the banner (one thing that lasts), toasts (things that happened)
 * and a voice for screen readers.
 */

import { t } from '../i18n.js';
import { h } from './dom.js';
import { icon } from './icons.js';

const TOAST_MS = 4500;
const TOASTS_MAX = 3;

export class Notices {
  #text = h('span');
  #action = h('button', { class: 'button small', type: 'button', hidden: true });
  #voice = h('div', { class: 'unseen', 'aria-live': 'polite', 'data-testid': 'announcer' });
  #toasts = h('div', { class: 'toasts', 'aria-hidden': 'true' });
  banner = h('div', {
    class: 'banner', role: 'status', hidden: true, 'data-testid': 'banner',
  }, icon('warning'), this.#text, this.#action,
  h('button', {
    class: 'button quiet square small', type: 'button', 'aria-label': t('dismiss'),
    click: () => this.hide(),
  }, icon('close')));
  element = h('div', { class: 'notices' }, this.#toasts, this.#voice);
  #kind = '';

  /**
   * @param {string} kind what it is about; a later word of the same kind takes its place
   * @param {string} text
   * @param {{ label: string, run: () => void }} [action]
   */
  show(kind, text, action) {
    this.#kind = kind;
    this.#text.textContent = text;
    this.#action.hidden = !action;
    this.#action.textContent = action?.label ?? '';
    this.#action.onclick = action ? () => { this.hide(); action.run(); } : null;
    this.banner.hidden = false;
    this.banner.dataset.kind = kind;
  }

  /** @param {string} [kind] only if it is about this */
  hide(kind) {
    if (kind && kind !== this.#kind) return;
    this.banner.hidden = true;
    this.#kind = '';
  }

  /**
   * @param {string} text
   * @param {boolean} [seen] false: for screen readers alone, the eye sees it elsewhere
   */
  say(text, seen = true) {
    const line = h('p', {}, text);
    this.#voice.append(line);
    setTimeout(() => line.remove(), 10000);
    if (!seen) return;
    const toast = h('div', { class: 'toast' }, text);
    this.#toasts.append(toast);
    while (this.#toasts.childElementCount > TOASTS_MAX) this.#toasts.firstElementChild?.remove();
    setTimeout(() => {
      toast.classList.add('going');
      setTimeout(() => toast.remove(), 300);
    }, TOAST_MS);
  }
}

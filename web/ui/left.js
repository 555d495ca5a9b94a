/** The page after a meeting. */

import { t } from '../i18n.js';
import { h } from './dom.js';
import { logo } from './icons.js';

/**
 * @param {{ title: string, text: string, rejoin: () => void, start: () => void }} options
 * @returns {{ element: HTMLElement, focus: () => void }}
 */
export function leftPage({ title, text, rejoin, start }) {
  const again = h('button', {
    class: 'button primary large', type: 'button', 'data-testid': 'rejoin', click: rejoin,
  }, t('rejoin'));
  const element = h('main', { class: 'left', 'data-testid': 'left' },
    logo(), h('h1', {}, title), h('p', {}, text),
    h('div', { class: 'card-buttons' }, again, h('button', {
      class: 'button large', type: 'button', click: start,
    }, t('toStart'))));
  return { element, focus: () => again.focus() };
}

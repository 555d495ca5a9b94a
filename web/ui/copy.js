/** Copies a text. Where the clipboard is not to be had, the text is shown, selected, to be
 * taken. */

import { t } from '../i18n.js';
import { h } from './dom.js';

/**
 * @param {string} text
 * @returns {Promise<boolean>} false: it was shown instead
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // An insecure origin has no clipboard, and a person may have refused it.
  }
  const field = h('input', { class: 'unseen', value: text, readonly: true });
  document.body.append(field);
  field.select();
  let done = false;
  try {
    done = document.execCommand('copy'); // old, but works on insecure origins
  } catch {
    done = false;
  }
  field.remove();
  if (!done) showText(text);
  return done;
}

/** @param {string} text */
function showText(text) {
  const field = h('input', { value: text, readonly: true, 'aria-label': t('copyByHand') });
  const dialog = h('dialog', { class: 'dialog', close: () => dialog.remove() },
    h('p', {}, t('copyByHand')), field,
    h('footer', {}, h('button', {
      class: 'button primary', type: 'button', click: () => dialog.close(),
    }, t('close'))));
  document.body.append(dialog);
  dialog.showModal();
  field.select();
}

/**
 * The language of the page: the first of the browser's languages that we have, else English.
 *
 * @typedef {import('./lang/en.js').Key} Key
 */

import { en } from './lang/en.js';
import { ko } from './lang/ko.js';

/** @type {Record<string, Record<Key, string>>} */
const TABLES = { en, ko };

/** @param {readonly string[]} wanted such as ["ko-KR", "en"] */
export function pickLanguage(wanted) {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0];
    if (TABLES[language]) return language;
  }
  return 'en';
}

export const language = pickLanguage(globalThis.navigator?.languages ?? []);

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [values] for the {names} in the sentence
 */
export function t(key, values = {}) {
  return fill(TABLES[language][key], values);
}

/**
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** @param {string} key */
export function isKey(key) {
  return key in en;
}

/**
 * Of the statistics panel: why it looks as it does. What is wrong stands above the figures, and
 * below them, for each picture, how large it comes, how large it has come, and what holds it back.
 *
 * @typedef {import('../rtc/why.js').Why} Why
 * @typedef {import('../protocol.js').WhyPicture} WhyPicture
 * @typedef {import('../protocol.js').WhySent} WhySent
 */

import { t } from '../i18n.js';
import { HISTORY_MAX } from '../rtc/stats.js';
import { h } from './dom.js';
import { drawPlot } from './plot.js';
import { headline, ownWords, pictureWords } from './why-words.js';

const LINES_FLOOR = 180; // of the plots: the smallest picture is not a flat line at the top

/** @param {{ width?: number, height?: number, fps?: number } | undefined} picture */
function sizeOf(picture) {
  if (!picture?.height) return '–';
  const size = `${picture.width} × ${picture.height}`;
  return picture.fps ? `${size} · ${t('fps', { count: picture.fps })}` : size;
}

class PictureRow {
  #name = h('h4');
  #size = h('span', { class: 'why-size' });
  #words = h('p');
  #canvas = h('canvas', { 'aria-hidden': 'true' });
  element = h('li', { class: 'why-picture' },
    h('header', {}, this.#name, this.#size), this.#words, this.#canvas);

  /**
   * @param {string} name
   * @param {string} verdict
   * @param {string} size
   * @param {string} words
   */
  say(name, verdict, size, words) {
    this.#name.textContent = name;
    this.#size.textContent = size;
    this.#words.textContent = words;
    this.element.dataset.verdict = verdict;
  }

  /** @param {(number | null)[] | undefined} heights none: there is nothing to be drawn */
  draw(heights) {
    this.#canvas.hidden = !heights;
    if (!heights) return;
    drawPlot(this.#canvas, [{ values: heights, colour: '--accent', fill: true }],
      LINES_FLOOR, HISTORY_MAX);
  }
}

export class WhySection {
  /** @type {Map<string, PictureRow>} by mid */
  #rows = new Map();
  #list = h('ul', {});
  headline = h('p', { class: 'why-headline', role: 'status', 'data-testid': 'why', hidden: true });
  element = h('section', { class: 'why', hidden: true, 'data-testid': 'why-pictures' },
    h('h3', {}, t('statsPictures')), this.#list);

  /**
   * @param {Why} why
   * @param {(member: string) => string} nameOf
   */
  update(why, nameOf) {
    const { answer } = why;
    const sent = answer?.sent.filter(({ verdict }) => verdict !== 'silent') ?? [];
    const received = answer?.received ?? [];
    this.headline.hidden = !answer;
    this.element.hidden = sent.length + received.length === 0;
    if (!answer) return;
    const { isGood, keys } = headline(answer);
    const words = keys.map((key) => t(key)).join(' ');
    if (this.headline.textContent !== words) this.headline.textContent = words;
    this.headline.dataset.good = String(isGood);
    this.headline.dataset.verdict = answer.verdict;
    this.#keep(new Set([...received, ...sent].map(({ mid }) => mid)));
    for (const picture of received) this.#received(picture, why, nameOf);
    for (const picture of sent) this.#sent(picture);
    [...received, ...sent].forEach(({ mid }, i) => {
      const { element } = this.#row(mid);
      const there = this.#list.children[i];
      if (there !== element) this.#list.insertBefore(element, there);
    });
  }

  /** @param {Set<string>} mids */
  #keep(mids) {
    for (const [mid, row] of this.#rows) {
      if (mids.has(mid)) continue;
      row.element.remove();
      this.#rows.delete(mid);
    }
  }

  /** @param {string} mid */
  #row(mid) {
    const known = this.#rows.get(mid);
    if (known) return known;
    const row = new PictureRow();
    this.#rows.set(mid, row);
    this.#list.append(row.element);
    return row;
  }

  /**
   * @param {WhyPicture} picture
   * @param {Why} why
   * @param {(member: string) => string} nameOf
   */
  #received(picture, why, nameOf) {
    const name = nameOf(picture.from ?? '');
    const row = this.#row(picture.mid);
    row.say(picture.source === 'screen' ? t('screenOf', { name }) : name, picture.verdict,
      picture.on ? sizeOf(picture.given) : '–', t(pictureWords(picture)));
    row.draw(why.heights.get(picture.mid));
  }

  /** @param {WhySent} picture */
  #sent(picture) {
    const row = this.#row(picture.mid);
    row.say(t(picture.source === 'screen' ? 'yourScreenName' : 'yourCamera'), picture.verdict,
      sizeOf(picture), t(ownWords(picture.verdict)));
    row.draw(undefined);
  }
}

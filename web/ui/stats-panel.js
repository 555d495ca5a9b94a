/**
 * The statistics panel: for every other member, or for the server, what flows, what is lost and how
 * far away it is.
 *
 * @typedef {import('../rtc/stats.js').Sample} Sample
 * @typedef {import('../rtc/why.js').Why} Why
 */

import { t } from '../i18n.js';
import { HISTORY_MAX } from '../rtc/stats.js';
import { h } from './dom.js';
import { drawPlot } from './plot.js';
import { WhySection } from './why-section.js';

/** @param {number} kbps */
const rate = (kbps) => (
  kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mb/s` : `${Math.round(kbps)} kb/s`);

/**
 * @param {string} line
 * @param {string} text
 */
const key = (line, text) => h('span', { class: `key key-${line}` }, text);

class Row {
  /** @param {string} name */
  constructor(name) {
    this.name = h('h3', {}, name);
    this.path = h('span', { class: 'stats-path' });
    this.bitrate = new Plot(t('bitrate'));
    this.loss = new Plot(t('loss'));
    this.rtt = new Plot(t('rtt'));
    this.element = h('section', { class: 'stats-peer' },
      h('header', {}, this.name, this.path),
      this.bitrate.element, h('div', { class: 'stats-pair' }, this.loss.element, this.rtt.element));
  }

  /**
   * @param {Sample[]} samples
   * @param {(number | null)[]} estimates kbit/s that the line is thought to take; [] where nobody
   *   says
   */
  update(samples, estimates) {
    const last = samples[samples.length - 1];
    if (!last) return;
    const way = last.path.startsWith('relay') ? t('pathRelay') : t('pathDirect');
    const fps = t('fps', { count: Math.round(last.fps) });
    this.path.textContent = last.path ? `${way} · ${fps}` : '';
    this.bitrate.draw([
      { values: samples.map((sample) => sample.inKbps), colour: '--accent', fill: true },
      { values: samples.map((sample) => sample.outKbps), colour: '--second' },
      { values: estimates, colour: '--soft', dashed: true },
    ], 100);
    const estimate = estimates[estimates.length - 1] ?? null;
    this.bitrate.value.replaceChildren(
      key('in', `${t('statsIn')} ${rate(last.inKbps)}`),
      key('out', `${t('statsOut')} ${rate(last.outKbps)}`),
      ...estimate === null ? [] : [key('room', `${t('statsEstimate')} ${rate(estimate)}`)]);
    this.loss.draw([
      { values: samples.map((sample) => sample.lossPercent), colour: '--danger', fill: true }], 5);
    this.loss.value.textContent = `${last.lossPercent.toFixed(1)} %`;
    this.rtt.draw([
      { values: samples.map((sample) => sample.rttMs), colour: '--second', fill: true }], 50);
    this.rtt.value.textContent = last.rttMs === null ? '–' : `${Math.round(last.rttMs)} ms`;
  }
}

class Plot {
  /** @param {string} title */
  constructor(title) {
    this.canvas = h('canvas', { 'aria-hidden': 'true' });
    this.value = h('span', { class: 'plot-value' }, '–');
    this.element = h('div', { class: 'plot' },
      h('div', { class: 'plot-head' }, h('span', { class: 'plot-title' }, title), this.value),
      this.canvas);
  }

  /**
   * @param {import('./plot.js').Line[]} lines
   * @param {number} floor
   */
  draw(lines, floor) {
    drawPlot(this.canvas, lines, floor, HISTORY_MAX);
  }
}

export class StatsPanel {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #empty = h('p', { class: 'panel-empty' }, t('statsAlone'));
  #why = new WhySection();
  element = h('div', { class: 'stats', 'data-testid': 'stats' },
    this.#empty, this.#why.headline, this.#why.element);

  /**
   * @param {Map<string, string>} names by member id, in the order of the room; '' is the server
   * @param {Map<string, Sample[]>} samples
   * @param {Why} why what the server says
   * @param {(member: string) => string} nameOf
   */
  update(names, samples, why, nameOf) {
    this.#why.update(why, nameOf);
    this.#empty.hidden = names.size > 0;
    for (const [id, row] of this.#rows) {
      if (names.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    for (const [id, name] of names) {
      let row = this.#rows.get(id);
      if (!row) {
        row = new Row(name);
        row.element.dataset.member = id;
        this.#rows.set(id, row);
        this.#why.element.before(row.element);
      }
      row.update(samples.get(id) ?? [], id === '' ? why.estimates : []);
    }
  }
}

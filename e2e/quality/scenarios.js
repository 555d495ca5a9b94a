/**
 * The table of what happens: those of sim/quality/scenarios.c that real browsers play, too. `down`
 * is the line to who watches; a threshold has a measure of the seconds from `from` to `to`, and
 * between what it must be.
 *
 * @typedef {import('./measure.js').Measure} Measure
 * @typedef {{ name: string, measure: Measure, from: number, to: number, least?: number,
 *   most?: number }} Threshold
 * @typedef {object} Scenario
 * @property {string} what
 * @property {number} seconds
 * @property {string} down
 * @property {string} [up]
 * @property {boolean} [isSoundAlone]
 * @property {{ at: number, width: number }[]} [windows] of who watches
 * @property {(lines: number) => Threshold[]} thresholds of a camera with so many lines
 */

import {
  framesOf30, longestFreeze, partOfLines, soundThatComes, untilItFits, untilLines,
} from './measure.js';

/** @type {(name: string, measure: Measure, from: number, to: number) => Threshold} */
const of = (name, measure, from, to) => ({ name, measure, from, to });
const atLeast = (/** @type {number} */ least, /** @type {Threshold} */ threshold) => ({
  ...threshold, least,
});
const atMost = (/** @type {number} */ most, /** @type {Threshold} */ threshold) => ({
  ...threshold, most,
});

/** @type {Record<string, Scenario>} */
export const SCENARIOS = {
  steady: {
    what: 'a line of 3 Mbit/s, which takes all that a camera gives',
    seconds: 40,
    down: 'at 0s rate 3M queue 200ms delay 20ms',
    thresholds: (lines) => [
      atMost(10, of('largest picture after (s)', untilLines((now) => now === lines), 0, 40)),
      atLeast(0.95, of('part of it large', partOfLines(lines), 15, 40)),
      atLeast(25, of('frames of 30', framesOf30, 15, 40)),
      atMost(0.5, of('longest freeze (s)', longestFreeze, 15, 40)),
    ],
  },
  breakdown: {
    what: 'from 3 Mbit/s to 300 kbit/s for half a minute, and back',
    seconds: 80,
    down: 'at 0s rate 3M queue 300ms delay 20ms; at 20s rate 300k; at 50s rate 3M',
    thresholds: (lines) => [
      atMost(2, of('down (s)', untilItFits, 20, 50)),
      atMost(10, of('up (s)', untilLines((now) => now === lines), 50, 80)),
      atMost(1, of('longest freeze (s)', longestFreeze, 5, 80)),
      atLeast(10, of('frames of 30 while down', framesOf30, 25, 50)),
      atLeast(25, of('frames of 30 at the end', framesOf30, 70, 80)),
    ],
  },
  loss: {
    what: '5 % are lost, 100 ms there and back',
    seconds: 40,
    down: 'at 0s rate 4M queue 200ms delay 50ms loss 5%',
    up: 'at 0s delay 50ms',
    thresholds: () => [
      atLeast(25, of('frames of 30', framesOf30, 10, 40)),
      atMost(1, of('longest freeze (s)', longestFreeze, 10, 40)),
    ],
  },
  tile: {
    what: 'a window that is large, small, and large again',
    seconds: 50,
    down: 'at 0s rate 4M queue 200ms delay 20ms',
    windows: [{ at: 15, width: 320 }, { at: 30, width: 1400 }],
    thresholds: (lines) => [
      atLeast(0.95, of('part of it large', partOfLines(lines), 10, 15)),
      atMost(5, of('smaller after (s)', untilLines((now) => now < lines), 15, 30)),
      atMost(5, of('large again after (s)', untilLines((now) => now === lines), 30, 50)),
      atMost(0.5, of('longest freeze (s)', longestFreeze, 10, 50)),
      atLeast(25, of('frames of 30', framesOf30, 10, 50)),
    ],
  },
  sound: {
    what: 'sound alone, on a line of 64 kbit/s',
    seconds: 30,
    isSoundAlone: true,
    down: 'at 0s rate 64k queue 200ms delay 20ms',
    thresholds: () => [atLeast(0.97, of('sound that comes', soundThatComes, 8, 30))],
  },
  thin: {
    what: 'sound alone, on a line of 30 kbit/s',
    seconds: 60,
    isSoundAlone: true,
    down: 'at 0s rate 30k queue 400ms delay 20ms',
    thresholds: () => [atLeast(0.95, of('sound that comes', soundThatComes, 10, 60))],
  },
};

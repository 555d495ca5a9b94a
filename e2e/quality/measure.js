/**
 * What a watcher's samples say of the time between two moments.
 *
 * @typedef {object} Sample of each tenth of a second, at the page that watches
 * @property {number} at seconds since the beginning
 * @property {number} frames decoded so far
 * @property {number} sent by the camera so far, in its largest encoding
 * @property {number} height of the picture
 * @property {number} bytes that came, with those of headers
 * @property {number} sound samples that the jitter buffer gave, so far
 * @property {number} concealed of them, made up in place of what did not come
 * @property {number} offered packets to the line so far
 * @property {number} overflowed of them, for its queue was full
 * @property {number} estimate in bit/s, as the server tells it
 *
 * @typedef {(samples: Sample[]) => number} Measure
 */

/**
 * @param {Sample[]} samples
 * @param {number} from
 * @param {number} to seconds
 */
export const between = (samples, from, to) => samples.filter(({ at }) => at >= from && at < to);

/** @typedef {'frames' | 'sent' | 'sound' | 'concealed' | 'offered' | 'overflowed'} Counter */

/** @type {(key: Counter) => Measure} */
const grown = (key) => (samples) => (samples.at(-1)?.[key] ?? 0) - (samples[0]?.[key] ?? 0);

/** Frames a second, of thirty that the camera might give. @type {Measure} */
export const framesOf30 = (samples) => (30 * grown('frames')(samples)) / camera(samples);

/** How many frames the camera gave. @type {Measure} */
const camera = (samples) => Math.max(1, grown('sent')(samples));

/** The longest time without a new picture, in seconds. @type {Measure} */
export function longestFreeze(samples) {
  let longest = 0;
  let last = samples[0];
  for (const sample of samples) {
    longest = Math.max(longest, sample.at - last.at);
    if (sample.frames > last.frames) last = sample;
  }
  return longest;
}

/**
 * Part of the samples in which the picture has that many lines.
 * @type {(height: number) => Measure}
 */
export const partOfLines = (height) => (samples) =>
  samples.filter((sample) => sample.height === height).length / Math.max(1, samples.length);

/**
 * Seconds until the picture has that many lines, and has gone on having them for two.
 * @type {(fits: (height: number) => boolean) => Measure}
 */
export const untilLines = (fits) => (samples) => {
  const first = samples.findIndex(
    (sample, i) =>
      (samples.at(-1)?.at ?? 0) >= sample.at + 2 &&
      samples.slice(i).every(({ at, height }) => at >= sample.at + 2 || fits(height)),
  );
  return first < 0 ? Infinity : samples[first].at - samples[0].at;
};

/** Seconds until, for two, at most one packet of fifty finds the queue full. @type {Measure} */
export function untilItFits(samples) {
  const first = samples.findIndex(({ at }) => {
    const next = between(samples, at, at + 2);
    return next.length > 5 && grown('overflowed')(next) <= grown('offered')(next) / 50;
  });
  return first < 0 ? Infinity : samples[first].at - samples[0].at;
}

/** Part of the sound that was not made up. @type {Measure} */
export const soundThatComes = (samples) =>
  1 - grown('concealed')(samples) / Math.max(1, grown('sound')(samples));

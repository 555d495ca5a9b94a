/** Draws what a scenario was like: rates, the picture's lines, and where it froze, over time. */

/** @typedef {import('./measure.js').Sample} Sample */

const WIDTH = 900;
const LEFT = 60;
const PANEL = 150;
const GAP = 45;
const FREEZE_S = 0.4; // without a new picture

/**
 * @param {string} title
 * @param {number} seconds
 * @param {Sample[]} samples
 */
export function plotOf(title, seconds, samples) {
  const x = (/** @type {number} */ at) => LEFT + ((WIDTH - LEFT - 20) * at) / seconds;
  const rates = samples.map(({ at, bytes }, i) => {
    const before = samples[Math.max(0, i - 5)];
    return { at, value: ((bytes - before.bytes) * 8) / Math.max(0.1, at - before.at) / 1e6 };
  });
  const estimates = samples.map(({ at, estimate }) => ({ at, value: estimate / 1e6 }));
  const lines = samples.map(({ at, height }) => ({ at, value: height }));
  const most = Math.max(1, ...rates.map(({ value }) => value)) * 1.2;
  const parts = [
    panel('Mbit/s: what came (dark), what the server believes (light)', 0, most, x, seconds, [
      ['light', estimates], ['dark', rates],
    ]),
    panel('lines of the picture', 1, 1.2 * Math.max(1, ...lines.map(({ value }) => value)), x,
      seconds, [['dark', lines]]),
    ...freezes(samples, x),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${2 * (PANEL + GAP) + 30}">
<style>text{font:12px sans-serif;fill:#333}path{fill:none}.grid{stroke:#ddd}
.dark{stroke:#1a56c4;stroke-width:1.5}.light{stroke:#e8a13a}.frozen{fill:#d33;opacity:.35}</style>
<rect width="100%" height="100%" fill="#fff"/><text x="${LEFT}" y="18">${title}</text>
${parts.join('\n')}
</svg>
`;
}

/**
 * @param {string} title
 * @param {number} place
 * @param {number} most
 * @param {(at: number) => number} x
 * @param {number} seconds
 * @param {[string, { at: number, value: number }[]][]} curves
 */
function panel(title, place, most, x, seconds, curves) {
  const top = 50 + place * (PANEL + GAP);
  const y = (/** @type {number} */ value) => top + PANEL * (1 - Math.min(1, value / most));
  const grid = [0, most / 2, most].map((value) => `<path class="grid" d="M${LEFT} ${y(value)}H${
    WIDTH - 20}"/><text x="8" y="${y(value) + 4}">${Number(value.toPrecision(3))}</text>`);
  for (let at = 0; at <= seconds; at += 10) {
    grid.push(`<path class="grid" d="M${x(at)} ${top}v${PANEL}"/><text x="${x(at) - 6}" y="${
      top + PANEL + 14}">${at}</text>`);
  }
  const drawn = curves.map(([kind, points]) => `<path class="${kind}" d="${points.map((point, i) =>
    `${i ? 'L' : 'M'}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join('')}"/>`);
  return `<text x="${LEFT}" y="${top - 8}">${title}</text>${grid.join('')}${drawn.join('')}`;
}

/**
 * @param {Sample[]} samples
 * @param {(at: number) => number} x
 */
function freezes(samples, x) {
  const found = [];
  let last = samples[0];
  for (const sample of samples) {
    if (sample.frames === last.frames) continue;
    if (sample.at - last.at > FREEZE_S) {
      found.push(`<rect class="frozen" x="${x(last.at)}" y="50" width="${
        x(sample.at) - x(last.at)}" height="${2 * PANEL + GAP}"/>`);
    }
    last = sample;
  }
  return found;
}

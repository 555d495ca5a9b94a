/**
 * What a camera, and a microphone, are sent as.
 *
 * A camera: up to three encodings (a simulcast), of which each receiver gets one; or, where the
 * room has it so, one encoding with layers, of which each gets some.
 *
 * Chromium codes only as many of them as a picture is worth by its size, and takes the first ones.
 * So they are as many here, too, and the last of them is as large as the picture.
 *
 * @typedef {import('../protocol.js').Wanted} Wanted
 * @typedef {object} Encoding
 * @property {string} [rid]
 * @property {boolean} active
 * @property {number} [scaleResolutionDownBy]
 * @property {string} [scalabilityMode]
 * @property {number} maxBitrate
 */

const THREE_PIXELS = 960 * 540;
const TWO_PIXELS = 480 * 270;

/** Scales and rates, by how many are sent. @type {Record<number, [number, number][]>} */
const SHAPES = {
  3: [[4, 150_000], [2, 500_000], [1, 1_700_000]],
  2: [[2, 200_000], [1, 700_000], [1, 700_000]],
  1: [[1, 300_000], [1, 300_000], [1, 300_000]],
};
const RIDS = ['l', 'm', 'h'];

/** @param {number} [width] @param {number} [height] not known: as if it were large */
function howMany(width, height) {
  if (!width || !height) return 3;
  const pixels = width * height;
  if (pixels >= THREE_PIXELS) return 3;
  return pixels >= TWO_PIXELS ? 2 : 1;
}

/**
 * @param {{ width?: number, height?: number }} size of the camera's pictures
 * @param {Wanted} [wanted] what the server has said of it; nothing: all is wanted
 * @returns {Encoding[]} the smallest first
 */
export function cameraEncodings({ width, height }, wanted) {
  const count = howMany(width, height);
  return RIDS.map((rid, i) => ({
    rid,
    active: i < count && (wanted?.on ?? true) && !(wanted?.off ?? []).includes(rid),
    scaleResolutionDownBy: SHAPES[count][i][0],
    maxBitrate: SHAPES[count][i][1],
  }));
}

/** By how many sizes a picture is worth. @type {Record<number, [string, number]>} */
const LAYERS = {
  3: ['L3T3_KEY', 1_700_000],
  2: ['L2T3_KEY', 700_000],
  1: ['L1T3', 300_000],
};

/**
 * The same in one encoding with layers.
 * @param {{ width?: number, height?: number }} size
 * @param {Wanted} [wanted]
 * @returns {Encoding[]}
 */
export function cameraLayers({ width, height }, wanted) {
  const [scalabilityMode, maxBitrate] = LAYERS[howMany(width, height)];
  return [{ active: wanted?.on ?? true, scalabilityMode, maxBitrate }];
}

/**
 * Changes what a sender's encodings are, in the shape in which the browser gave them.
 * @param {RTCRtpEncodingParameters[]} encodings
 * @param {Encoding[] | null} shape null: of one encoding, of which nothing but `isOn` is said
 * @param {boolean} isOn whether anything is wanted
 * @returns {boolean} whether anything is another than it was
 */
export function reshape(encodings, shape, isOn) {
  let hasChanged = false;
  for (const encoding of encodings) {
    const { rid, ...wish } = shape?.find((one) => one.rid === encoding.rid)
      ?? { rid: '', active: isOn };
    for (const [name, value] of Object.entries(wish)) {
      const key = /** @type {keyof typeof wish} */ (name);
      if (encoding[key] === value || (key === 'active' && (encoding.active ?? true) === value)) {
        continue;
      }
      Object.assign(encoding, { [key]: value });
      hasChanged = true;
    }
  }
  return hasChanged;
}

/**
 * Sound: no more than that, where a line of somebody who listens would not take it.
 * @param {RTCRtpEncodingParameters[]} encodings
 * @param {number} [bps] nothing: as much as the browser likes
 * @returns {boolean} whether anything is another than it was
 */
export function limit(encodings, bps) {
  let hasChanged = false;
  for (const encoding of encodings) {
    if (encoding.maxBitrate === bps) continue;
    if (bps) encoding.maxBitrate = bps;
    else delete encoding.maxBitrate;
    hasChanged = true;
  }
  return hasChanged;
}

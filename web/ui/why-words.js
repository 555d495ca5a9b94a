/**
 * The server's verdicts in words that people understand. Pure.
 *
 * @typedef {import('../i18n.js').Key} Key
 * @typedef {import('../protocol.js').Why} Why
 * @typedef {import('../protocol.js').Verdict} Verdict
 *
 * @typedef {{ verdict: Verdict, reason: string, on: boolean }} Picture that is received
 */

/** @type {Partial<Record<Verdict, Key>>} */
const ON_TILES = {
  downlink: 'tileDownlink', uplink: 'tileUplink', 'sender-cpu': 'tileBusy',
};

/** @type {Record<Verdict, Key>} */
const OF_OTHERS = {
  downlink: 'whyDownlink',
  uplink: 'whyUplink',
  'sender-cpu': 'whyBusy',
  policy: 'whyPaused',
  window: 'whyWindow',
  silent: 'whySilent',
  nothing: 'whyNothing',
};

/** @type {Record<Verdict, Key>} */
const OF_ONESELF = {
  ...OF_OTHERS, uplink: 'whyOwnUplink', 'sender-cpu': 'whyOwnBusy', nothing: 'whyOwnNothing',
};

/**
 * What a tile says of its picture: nothing where there is nothing to complain of.
 * @param {Picture | undefined} picture
 * @returns {Key | null}
 */
export function tileWords(picture) {
  if (!picture) return null;
  if (picture.reason === 'last-n') return 'tileLastN';
  if (picture.reason === 'paused') return 'tilePaused';
  if (picture.verdict === 'downlink' && !picture.on) return 'tileHeld';
  return ON_TILES[picture.verdict] ?? null;
}

/**
 * @param {Picture} picture
 * @returns {Key}
 */
export function pictureWords({ verdict, reason, on }) {
  if (reason === 'last-n') return 'whyLastN';
  if (reason === 'hidden') return 'whyHidden';
  if (verdict === 'downlink' && !on) return 'tileHeld';
  return OF_OTHERS[verdict];
}

/**
 * @param {Verdict} verdict on one's own picture
 * @returns {Key}
 */
export function ownWords(verdict) {
  return OF_ONESELF[verdict];
}

/**
 * What stands above the figures: what is wrong, or that nothing is.
 * @param {Why} why
 * @returns {{ isGood: boolean, keys: Key[] }}
 */
export function headline({ receiving, sending }) {
  /** @type {Key[]} */
  const keys = [];
  if (receiving === 'downlink') keys.push('whyAllDownlink');
  else if (receiving === 'uplink' || receiving === 'sender-cpu') keys.push('whyAllOthers');
  else if (receiving === 'policy') keys.push('whyAllPolicy');
  if (sending === 'uplink') keys.push('whyAllUplink');
  else if (sending === 'sender-cpu') keys.push('whyAllBusy');
  return keys.length > 0 ? { isGood: false, keys } : { isGood: true, keys: ['whyAllGood'] };
}

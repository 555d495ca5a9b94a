/** Which STUN and TURN servers a page's connections use, and how they reach the others. */

/**
 * @typedef {object} Wishes
 * @property {boolean} [relaysAlone] `iceTransportPolicy: "relay"`
 * @property {string} turn a pattern: of the TURN servers those whose URL has it; "" for all
 */

/** No URL has this. */
export const NO_TURN = '(?!)';

/**
 * @typedef {object} Pair that a connection has settled on
 * @property {string} type of the local candidate: `host`, `srflx`, `prflx`, `relay`
 * @property {string} [protocol] by which the relay (or, without one, the other end) is reached:
 *   `udp`,
 *   `tcp`, `tls`
 * @property {string} [url] of the relay, where the browser tells it
 */

/**
 * @param {import('./person.js').Person} person whose page is opened later
 * @param {Wishes} wishes
 */
export async function wishServers({ page }, wishes) {
  if ('addInitScript' in page) await page.addInitScript(patch, wishes);
  else await page.evaluateOnNewDocument(patch, wishes);
}

/**
 * @param {import('./person.js').Person} person
 * @returns {Promise<Pair[]>} one for each connection that has settled
 */
export function selectedPairs(person) {
  return person.ask(lookAtPairs);
}

/**
 * How its connections have fared so far: each in the states that it has gone through, and the kinds
 * of candidates of its own that it has found.
 *
 * Where nothing works, Chromium says `failed` of the connection and `disconnected` of its ICE: it
 * never knows that no candidates of the other side are to come.
 * @param {import('./person.js').Person} person
 * @returns {Promise<{ states: string[], candidates: string[] }[]>}
 */
export function fates(person) {
  return person.ask(() =>
    /** @type {any} */ (window).watched.map((/** @type {any} */ { states, candidates }) => ({
      states,
      candidates,
    })),
  );
}

/** Runs in the page, before it. @param {Wishes} wishes */
function patch({ relaysAlone, turn }) {
  /** @type {{ connection: RTCPeerConnection, states: string[], candidates: string[] }[]} */
  const watched = [];
  const Real = window.RTCPeerConnection;
  const wanted = new RegExp(turn);
  /** @param {RTCConfiguration} [configuration] */
  const wish = (configuration = {}) => ({
    ...configuration,
    ...(relaysAlone ? { iceTransportPolicy: /** @type {const} */ ('relay') } : {}),
    iceServers: (configuration.iceServers ?? [])
      .map((server) => ({
        ...server,
        urls: [server.urls].flat().filter((url) => !url.startsWith('turn') || wanted.test(url)),
      }))
      .filter(({ urls }) => urls.length > 0),
  });
  class Wished extends Real {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(wish(configuration));
      const states = /** @type {string[]} */ ([]);
      const candidates = /** @type {string[]} */ ([]);
      watched.push({ connection: this, states, candidates });
      this.addEventListener('connectionstatechange', () => states.push(this.connectionState));
      this.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate?.type) candidates.push(candidate.type);
      });
    }

    /** @param {RTCConfiguration} [configuration] */
    setConfiguration(configuration) {
      super.setConfiguration(wish(configuration));
    }
  }
  window.RTCPeerConnection = Wished;
  Object.assign(window, { watched });
}

/** Runs in the page. */
async function lookAtPairs() {
  const { watched } = /** @type {any} */ (window);
  const pairs = [];
  for (const { connection } of watched) {
    const reports = new Map();
    for (const report of (await connection.getStats()).values()) reports.set(report.id, report);
    for (const report of reports.values()) {
      // Firefox has no "transport", and marks the pair itself.
      const pair =
        report.type === 'transport' ? reports.get(report.selectedCandidatePairId) : report;
      if (pair?.type !== 'candidate-pair' || (pair === report && !pair.selected)) continue;
      const local = reports.get(pair.localCandidateId);
      const { candidateType: type, url } = local;
      pairs.push({ type, protocol: local.relayProtocol ?? local.protocol, url });
    }
  }
  return pairs;
}

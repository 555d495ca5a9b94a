/**
 * Reads what a person wants to know out of RTCPeerConnection.getStats(): how much flows, how much
 * is lost, how far the other is. Pure: two reports in, one sample out.
 *
 * @typedef {import('../protocol.js').Limit} Limit
 *
 * @typedef {object} Totals counters of one report
 * @property {number} at milliseconds
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} packetsIn
 * @property {number} packetsLost
 * @property {number} frames decoded
 * @property {number | null} rttMs
 * @property {string} path '' while there is none
 *
 * @typedef {object} Sample
 * @property {number} inKbps
 * @property {number} outKbps
 * @property {number} lossPercent of what should have come in
 * @property {number | null} rttMs
 * @property {number} fps
 * @property {string} path "host", "srflx", "prflx" or "relay", and "tcp" where it applies
 */

/** @type {Limit[]} from the least grave to the gravest */
const LIMITS = ['unknown', 'none', 'other', 'bandwidth', 'cpu'];

/** @param {Iterable<any>} report the values of an RTCStatsReport */
export function totalsOf(report) {
  const entries = [...report];
  /** @type {Totals} */
  const totals = {
    at: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsLost: 0, frames: 0, rttMs: null, path: '',
  };
  for (const entry of entries) {
    if (entry.type === 'inbound-rtp') {
      totals.packetsIn += entry.packetsReceived ?? 0;
      totals.packetsLost += Math.max(0, entry.packetsLost ?? 0);
      totals.bytesIn += (entry.bytesReceived ?? 0) + (entry.headerBytesReceived ?? 0);
      totals.frames += entry.framesDecoded ?? 0;
    } else if (entry.type === 'outbound-rtp') {
      totals.bytesOut += (entry.bytesSent ?? 0) + (entry.headerBytesSent ?? 0);
    }
    if (entry.type === 'inbound-rtp' || entry.type === 'outbound-rtp') {
      totals.at = Math.max(totals.at, entry.timestamp);
    }
  }
  const pair = chosenPair(entries);
  if (pair) {
    totals.at = Math.max(totals.at, pair.timestamp);
    if (pair.currentRoundTripTime !== undefined) totals.rttMs = pair.currentRoundTripTime * 1000;
    const local = entries.find((entry) => entry.id === pair.localCandidateId);
    if (local) totals.path = local.candidateType + (local.protocol === 'tcp' ? ' tcp' : '');
  }
  return totals;
}

/** @param {any[]} entries */
function chosenPair(entries) {
  const transport = entries.find((entry) => entry.type === 'transport');
  const chosen = transport?.selectedCandidatePairId;
  return entries.find((entry) => entry.type === 'candidate-pair'
    && (chosen ? entry.id === chosen
      : entry.selected || (entry.nominated && entry.state === 'succeeded')));
}

/**
 * @param {Totals | null} before
 * @param {Totals} now
 * @returns {Sample}
 */
export function sampleOf(before, now) {
  const sample = {
    inKbps: 0, outKbps: 0, lossPercent: 0, fps: 0, rttMs: now.rttMs, path: now.path,
  };
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  if (!before || seconds <= 0) return sample;
  // A counter that fell belongs to a new connection: nothing is known yet.
  const grown = (/** @type {number} */ a, /** @type {number} */ b) => Math.max(0, b - a);
  sample.inKbps = grown(before.bytesIn, now.bytesIn) * 8 / 1000 / seconds;
  sample.outKbps = grown(before.bytesOut, now.bytesOut) * 8 / 1000 / seconds;
  sample.fps = grown(before.frames, now.frames) / seconds;
  const lost = grown(before.packetsLost, now.packetsLost);
  const came = grown(before.packetsIn, now.packetsIn);
  sample.lossPercent = lost + came > 0 ? lost / (lost + came) * 100 : 0;
  return sample;
}

/**
 * Whether a person would notice: judged over the last few samples, not by one.
 * @param {Sample[]} samples newest last
 */
export function isPoor(samples) {
  const recent = samples.slice(-4);
  if (recent.length < 4) return false;
  const loss = recent.reduce((sum, sample) => sum + sample.lossPercent, 0) / recent.length;
  const slow = recent.every((sample) => (sample.rttMs ?? 0) > 500);
  return loss > 6 || slow;
}

/**
 * What keeps one's own encoders from coding better, by the section of the picture; the gravest of
 * a simulcast's.
 * @param {Iterable<any>} report
 * @returns {Map<string, Limit>}
 */
export function limitsOf(report) {
  /** @type {Map<string, Limit>} */
  const limits = new Map();
  for (const { type, kind, mid, active, qualityLimitationReason } of report) {
    if (type !== 'outbound-rtp' || kind !== 'video' || !mid || active === false) continue;
    const rank = LIMITS.indexOf(qualityLimitationReason);
    if (rank > LIMITS.indexOf(limits.get(mid) ?? 'unknown')) limits.set(mid, LIMITS[rank]);
  }
  return limits;
}

export const HISTORY_MAX = 180;

/** Asks every peer for its statistics, once a second, and keeps the last minutes of them. */
export class StatsHistory {
  /** @type {Map<string, Sample[]>} newest last */
  samples = new Map();
  /** @type {Map<string, Map<string, Limit>>} of one's own encoders, by the section */
  limits = new Map();
  /** @type {Map<string, Totals>} */
  #totals = new Map();

  /** @param {Iterable<{ id: string, connection: { getStats(): Promise<any> } }>} peers */
  async collect(peers) {
    const present = new Set();
    for (const peer of [...peers]) {
      present.add(peer.id);
      try {
        const report = await peer.connection.getStats();
        const now = totalsOf(report.values());
        this.limits.set(peer.id, limitsOf(report.values()));
        const history = this.samples.get(peer.id) ?? [];
        history.push(sampleOf(this.#totals.get(peer.id) ?? null, now));
        if (history.length > HISTORY_MAX) history.shift();
        this.samples.set(peer.id, history);
        this.#totals.set(peer.id, now);
      } catch {
        // Closed while it was asked.
      }
    }
    for (const id of [...this.samples.keys()]) {
      if (present.has(id)) continue;
      this.samples.delete(id);
      this.limits.delete(id);
      this.#totals.delete(id);
    }
  }

  /** @param {string} id */
  poor(id) {
    return isPoor(this.samples.get(id) ?? []);
  }
}

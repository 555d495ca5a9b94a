/** Pages of kind E: one connection to send on and one on which all others come. */

import { until } from '../lib/until.js';

const FRAMES = 10;

/**
 * From now on so many pictures and so many sounds come, on whatever connections.
 * @param {import('./guest.js').Guest} guest
 * @param {number} count of others
 */
export async function receives(guest, count) {
  const before = new Map((await guest.look()).lines);
  await until(
    `${guest.name} to see and hear ${count}`,
    async () => {
      const { lines, pictures } = await guest.look();
      const seen = lines.filter(
        ([id, { frames }]) => frames >= (before.get(id)?.frames ?? 0) + FRAMES,
      );
      const heard = lines.filter(
        ([id, { loudness }]) => loudness > (before.get(id)?.loudness ?? 0),
      );
      return seen.length === count && heard.length === count && pictures >= count;
    },
    { seen: () => guest.look() },
  );
}

/**
 * What the page's open connections have settled on: their states, and their own candidates.
 * @param {import('./guest.js').Guest} guest
 * @returns {Promise<{ state: string, type: string, protocol: string, tcpType?: string }[]>}
 */
export function ways(guest) {
  return guest.page.evaluate(async () => {
    const found = [];
    // @ts-ignore - put there by noteConnections
    for (const connection of window.connectionsMade) {
      if (connection.connectionState === 'closed') continue;
      const stats = await connection.getStats();
      for (const { type, selectedCandidatePairId } of stats.values()) {
        if (type !== 'transport' || !selectedCandidatePairId) continue;
        const own = stats.get(stats.get(selectedCandidatePairId).localCandidateId);
        const { candidateType, protocol, tcpType } = own;
        found.push({ state: connection.connectionState, type: candidateType, protocol, tcpType });
      }
    }
    return found;
  });
}

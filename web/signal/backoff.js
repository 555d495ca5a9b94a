/** How long to wait before the next attempt to reach the server. */

const FIRST_MS = 400;
const LONGEST_MS = 8000;

/**
 * Doubles up to a limit; half of it is left to chance, so that a server that comes back is not met
 * by everybody at the same instant. The limit is well below the 30 s for which a place is kept.
 * @param {number} attempt 0 for the first
 * @param {number} chance 0 <= chance < 1
 * @returns {number} milliseconds
 */
export function backoffMs(attempt, chance) {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return full / 2 + (full / 2) * chance;
}

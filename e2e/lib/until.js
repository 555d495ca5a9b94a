/**
 * Waiting for what is to happen, never for time to pass. A limit is a verdict on a server or a
 * page that hangs, not a measurement: it is generous, because the machine may be busy.
 */

export const LIMIT_MS = 60_000;
const LOOK_MS = 100;

/** @param {number} ms */
const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/**
 * Asks until the answer is truthy, and returns it. A question that throws is asked again: the page
 * may just be loading. When the limit has passed, the error tells what was waited for and what the
 * last look saw.
 * @template T
 * @param {string} what
 * @param {() => T | Promise<T>} look
 * @param {{ limitMs?: number, seen?: () => unknown }} [options] `seen`: more for the error message
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, look, { limitMs = LIMIT_MS, seen } = {}) {
  const end = Date.now() + limitMs;
  for (;;) {
    let last;
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      const more = seen ? await Promise.resolve().then(seen).catch(String) : last;
      throw new Error(`waited in vain for: ${what}\nlast seen: ${show(more)}`);
    }
    await pause(LOOK_MS);
  }
}

/** @param {unknown} value */
function show(value) {
  if (value instanceof Error) return value.stack ?? value.message;
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}

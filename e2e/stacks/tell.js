/** A stack's side of `lib/apart.js`. */

import { once } from 'node:events';
import { createInterface } from 'node:readline';

const OFTEN_MS = 200;

/** @param {object} message */
function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

// who made this process is gone; what the library would do at an ordinary end is not to be seen
process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'));
const lines = createInterface(process.stdin);

/**
 * @param {string} sdp
 * @param {{ mid: string, source: string }[]} tracks
 * @returns {Promise<string>} the description that answers it
 */
export async function offer(sdp, tracks) {
  const answer = once(lines, 'line');
  say({ type: 'offer', sdp, tracks });
  const [line] = await answer;
  return JSON.parse(line).sdp;
}

/**
 * From now on what has come is told.
 * @param {() => object | Promise<object>} look
 */
export function tellOf(look) {
  const tell = async () => {
    say({ type: 'seen', ...(await look()) });
    setTimeout(tell, OFTEN_MS);
  };
  tell();
}

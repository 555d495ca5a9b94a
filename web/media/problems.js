/**
 * Why a camera, microphone or screen is not to be had, as the key of a sentence for people.
 * The names of the errors are those of Media Capture and Streams, section 10.3 (getUserMedia).
 *
 * @typedef {'camera' | 'mic' | 'screen'} Device
 * @typedef {'insecure' | 'refused' | 'refusedBySystem' | 'missing' | 'busy' | 'cancelled'
 *   | 'unknown'} Reason
 */

/**
 * @param {unknown} error
 * @param {Device} device
 * @returns {Reason}
 */
export function reasonOf(error, device) {
  const told = /** @type {{ name?: string, message?: string }} */ (error ?? {});
  const { name = '', message = '' } = told;
  switch (name) {
    case 'InsecureOrigin':
      return 'insecure';
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      if (/system/i.test(message)) return 'refusedBySystem';
      return device === 'screen' ? 'cancelled' : 'refused'; // the browser's own "cancel" button
    case 'SecurityError':
      return 'refused';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    default:
      return 'unknown';
  }
}

/** Whether a device failed for a reason of its own, so that the other one is worth asking for. */
export const isOwnFault = (/** @type {Reason} */ reason) =>
  reason === 'missing' || reason === 'busy' || reason === 'unknown';

/**
 * What one member may send to each other member. In a mesh every upload is sent once for each of
 * them, so the share shrinks as the room grows.
 *
 * @typedef {{ maxBitrate: number, scaleResolutionDownBy: number, maxFramerate: number }} Budget
 */

/**
 * @param {number} peers how many others receive it
 * @returns {Budget}
 */
export function cameraBudget(peers) {
  if (peers <= 1) return { maxBitrate: 1_700_000, scaleResolutionDownBy: 1, maxFramerate: 30 };
  if (peers <= 3) return { maxBitrate: 900_000, scaleResolutionDownBy: 1, maxFramerate: 30 };
  if (peers <= 6) return { maxBitrate: 450_000, scaleResolutionDownBy: 2, maxFramerate: 24 };
  return { maxBitrate: 220_000, scaleResolutionDownBy: 3, maxFramerate: 20 };
}

/**
 * A screen must stay sharp: fewer frames rather than fewer pixels.
 * @param {number} peers
 * @returns {Budget}
 */
export function screenBudget(peers) {
  const maxBitrate = peers <= 3 ? 2_500_000 : 1_200_000;
  return { maxBitrate, scaleResolutionDownBy: 1, maxFramerate: peers <= 3 ? 15 : 8 };
}

/**
 * @param {RTCRtpSender} sender
 * @param {Budget} budget
 */
export async function applyBudget(sender, budget) {
  const parameters = sender.getParameters();
  const encoding = parameters.encodings?.[0];
  if (!encoding) return; // not negotiated yet; asked again when it is
  if (encoding.maxBitrate === budget.maxBitrate) return;
  Object.assign(encoding, budget);
  try {
    await sender.setParameters(parameters);
  } catch {
    // A negotiation went on meanwhile; the next change of the room asks again.
  }
}

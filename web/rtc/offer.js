/** What the page's offers to the server are made of. Pure. */

/** One of these numbers is offered, so that not everyone who comes costs an offer. */
const STEPS = [1, 2, 4, 6, 9, 12, 16, 20];

/** @param {number} wanted */
export function slotCount(wanted) {
  return STEPS.find((step) => step >= wanted) ?? STEPS[STEPS.length - 1];
}

/** Each browser has several variants of these; slots do with the plainest of each. */
const PLAIN = [
  { mimeType: /^(audio\/(opus|red)|video\/(VP8|rtx))$/i, line: /^/ },
  { mimeType: /^video\/VP9$/i, line: /^$|profile-id=0/ },
  { mimeType: /^video\/AV1$/i, line: /^$|profile=0/ },
  { mimeType: /^video\/H264$/i, line: /packetization-mode=1.*42e01f/i },
  { mimeType: /^video\/H264$/i, line: /42e01f.*packetization-mode=1/i },
];

/** @param {RTCRtpCapabilities | null} capabilities */
function plainOf(capabilities) {
  return (capabilities?.codecs ?? []).filter(({ mimeType, sdpFmtpLine = '' }) =>
    PLAIN.some((plain) => plain.mimeType.test(mimeType) && plain.line.test(sdpFmtpLine)));
}

/**
 * @param {'audio' | 'video'} kind
 * @returns {any[]}
 */
export function receivedCodecs(kind) {
  return plainOf(RTCRtpReceiver.getCapabilities(kind));
}

/** What the room may ask a camera to be sent as. @type {Record<string, RegExp>} */
const SCALABLE = { 'vp9-svc': /^video\/VP9$/i, 'av1-svc': /^video\/AV1$/i };

/** Browsers that know no layers leave the mode out of what they were given. */
function knowsLayers() {
  const scalabilityMode = 'L3T3_KEY';
  const probe = new RTCPeerConnection();
  try {
    const sendEncodings = /** @type {any[]} */ ([{ scalabilityMode }]);
    const { sender } = probe.addTransceiver('video', { direction: 'sendonly', sendEncodings });
    const [encoding] = /** @type {any[]} */ (sender.getParameters().encodings);
    return encoding?.scalabilityMode === scalabilityMode;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}

/**
 * The codec with which a camera is sent in layers, and no other: of several, the server chooses.
 * @param {string} camera what the room asks for
 * @returns {any[] | null} null: it is sent otherwise, for that was not asked for, or can't be done
 */
export function scalableCodecs(camera) {
  const codec = SCALABLE[camera];
  if (!codec || !knowsLayers()) return null;
  const all = plainOf(RTCRtpSender.getCapabilities('video'));
  const first = all.find(({ mimeType }) => codec.test(mimeType));
  return first ? [first, ...all.filter(({ mimeType }) => /\/rtx$/i.test(mimeType))] : null;
}

/** Of header extensions, what a server has a use for in a section that it sends. */
const EXTENSIONS = new RegExp(
  [
    'sdes:mid', 'abs-send-time', 'transport-wide-cc', 'audio-level', 'abs-capture', 'orientation',
    'dependency-descriptor',
  ].join('|'),
);

/**
 * An offer without what the server, which has many slots to read, does not look at: candidates
 * (it waits to be called), and most extensions of the slots.
 * @param {string} sdp
 */
export function lighten(sdp) {
  return sdp.split(/(?=^m=)/m).map((section) => {
    const isSlot = /^a=recvonly\r?$/m.test(section);
    return section.split(/(?<=\n)/).filter((line) => {
      if (/^a=(candidate:|end-of-candidates|rtcp:)/.test(line)) return false;
      return !isSlot || !line.startsWith('a=extmap:') || EXTENSIONS.test(line);
    }).join('');
  }).join('');
}

/**
 * Chromium opposite another stack, in a page that is not the meeting's: one connection with the
 * server that sends a camera and a microphone, has a slot for each, and says something on a data
 * channel of its own.
 */

/**
 * Runs in the page.
 * @param {{ room: string, codec: string, words: (string | number)[] }} wish `codec`: the only
 *   one of video; `words`: what it says, numbers being so many bytes
 */
export async function visit({ room, codec, words }) {
  const connection = new RTCPeerConnection();
  const visitor = { connection, heard: [], errors: [] };
  Object.assign(window, { visitor });
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: true,
    video: { width: 320, height: 180, frameRate: 10 },
  });
  const sources = new Map();
  for (const track of stream.getTracks()) {
    const sending = connection.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
    sources.set(sending, track.kind === 'audio' ? 'microphone' : 'camera');
    connection.addTransceiver(track.kind, { direction: 'recvonly' });
  }
  const { codecs } = /** @type {any} */ (RTCRtpReceiver.getCapabilities('video'));
  for (const transceiver of connection.getTransceivers()) {
    if (transceiver.receiver.track.kind !== 'video') continue;
    transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === codec));
  }
  const channel = connection.createDataChannel('words');
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({ data }) => {
    visitor.heard.push(typeof data === 'string' ? data : data.byteLength);
  };
  visitor.say = () => {
    for (const word of words) channel.send(typeof word === 'string' ? word : new Uint8Array(word));
  };
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/v1/meet`);
  const say = (message) => socket.send(JSON.stringify(message));
  socket.onopen = () =>
    say({ type: 'join', version: 1, room, name: 'visitor', topologies: ['sfu'] });
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'welcome') {
      await connection.setLocalDescription();
      const tracks = [...sources].map(([{ mid }, source]) => ({ mid, source }));
      const { sdp } = /** @type {any} */ (connection.localDescription);
      say({ type: 'sfu-offer', new: true, sdp, tracks });
    } else if (message.type === 'sfu-answer') {
      await connection.setRemoteDescription({ type: 'answer', sdp: message.sdp });
    } else if (message.type === 'error') {
      visitor.errors.push(message);
    }
  };
}

/** Runs in the page: what has come so far, of the picture, the sound and the words. */
export async function lookAround() {
  const { connection, heard, errors } = /** @type {any} */ (window).visitor;
  const seen = { frames: 0, lost: 0, sound: 0, sent: 0, heard, errors };
  for (const entry of (await connection.getStats()).values()) {
    if (entry.type === 'outbound-rtp') seen.sent += entry.packetsSent;
    if (entry.type !== 'inbound-rtp') continue;
    if (entry.kind === 'audio') seen.sound += entry.packetsReceived;
    else seen.frames += entry.framesDecoded ?? 0;
    seen.lost += entry.packetsLost;
  }
  return seen;
}

/** Runs in the page. */
export function speak() {
  /** @type {any} */ (window).visitor.say();
}

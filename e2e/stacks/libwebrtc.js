/** libwebrtc with its coders, as @roamhq/wrtc has it. */

import wrtc from '@roamhq/wrtc';
import { offer, tellOf } from './tell.js';

const [WIDTH, HEIGHT] = [320, 180];

/**
 * Pictures that change, and a tone, for the coders of libwebrtc.
 * @param {any} picture
 * @param {any} sound
 */
function film(picture, sound) {
  const data = new Uint8ClampedArray((WIDTH * HEIGHT * 3) / 2);
  const samples = Int16Array.from({ length: 480 }, (_, i) => 8000 * Math.sin(i / 8));
  let number = 0;
  setInterval(() => {
    number += 1;
    data.forEach((_, i) => {
      data[i] = i + 4 * number;
    });
    picture.onFrame({ width: WIDTH, height: HEIGHT, data });
  }, 100);
  setInterval(() => sound.onData({ samples, sampleRate: 48_000 }), 10);
}

const { RTCAudioSource, RTCVideoSink, RTCVideoSource } = wrtc.nonstandard;
const connection = new wrtc.RTCPeerConnection();
const seen = { audio: 0, video: 0, channels: 0, words: 0 };
const sources = { audio: new RTCAudioSource(), video: new RTCVideoSource() };
const sending = [];
for (const kind of /** @type {const} */ (['audio', 'video'])) {
  const track = sources[kind].createTrack();
  sending.push(connection.addTransceiver(track, { direction: 'sendonly' }));
  const { receiver } = connection.addTransceiver(kind, { direction: 'recvonly' });
  if (kind === 'audio') continue; // a sink of sound gets silence where there is none
  const sink = new RTCVideoSink(receiver.track);
  sink.onframe = () => {
    seen.video += 1;
  };
}
connection.createDataChannel('mine');
connection.ondatachannel = ({ channel }) => {
  seen.channels += 1;
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({ data }) => {
    seen.words += 1;
    channel.send(data);
  };
};
film(sources.video, sources.audio);
await connection.setLocalDescription(await connection.createOffer());
const tracks = sending.map(({ mid }, i) => ({ mid, source: ['microphone', 'camera'][i] }));
const sdp = await offer(connection.localDescription.sdp, tracks);
await connection.setRemoteDescription({ type: 'answer', sdp });
tellOf(async () => {
  for (const entry of (await connection.getStats()).values()) {
    const isSound = entry.type === 'inbound-rtp' && entry.kind === 'audio';
    if (isSound) seen.audio = entry.packetsReceived;
  }
  return seen;
});

/** libdatachannel, as node-datachannel has it: it has no coders, what comes goes back. */

import nodeDataChannel from 'node-datachannel';
import { offer, tellOf } from './tell.js';

const KINDS = /** @type {const} */ ([
  { kind: 'Audio', source: 'microphone', add: 'addOpusCodec', payloadType: 111, ssrc: 1001 },
  { kind: 'Video', source: 'camera', add: 'addVP8Codec', payloadType: 96, ssrc: 2002 },
]);
const PSFB = 206; // RFC 4585 (6.1)

// it would offer with its first channel, and have gathered before anybody listens
const connection = new nodeDataChannel.PeerConnection('moim', {
  iceServers: [],
  disableAutoNegotiation: true,
});
const seen = { audio: 0, video: 0, channels: 0, words: 0 };
const tracks = [];
const kept = []; // or they end with their objects

for (const { kind, source, add, payloadType, ssrc } of KINDS) {
  const section = (mid, direction) => {
    const media = new nodeDataChannel[kind](mid, direction);
    media[add](payloadType);
    if (direction === 'SendOnly') media.addSSRC(ssrc, 'libdatachannel', 'mine', kind);
    const track = connection.addTrack(media);
    kept.push(track);
    return track;
  };
  const out = section(source, 'SendOnly');
  const slot = section(`slot-${source}`, 'RecvOnly');
  tracks.push({ mid: source, source });
  slot.onMessage((packet) => {
    const isRtcp = packet[1] >= 192 && packet[1] < 224; // RFC 5761 (4)
    if (isRtcp) return;
    seen[kind.toLowerCase()] += 1;
    packet.writeUInt32BE(ssrc, 8);
    if (out.isOpen()) out.sendMessageBinary(packet);
  });
  // Chromium's next key frame is ours, too
  out.onMessage((packet) => {
    if (kind === 'Video' && packet[1] === PSFB) slot.requestKeyframe();
  });
}

kept.push(connection.createDataChannel('mine'));
connection.onDataChannel((channel) => {
  seen.channels += 1;
  kept.push(channel);
  channel.onMessage((data) => {
    seen.words += 1;
    if (typeof data === 'string') channel.sendMessage(data);
    else channel.sendMessageBinary(Buffer.from(data));
  });
});
const gathered = new Promise((resolve) => {
  connection.onGatheringStateChange((state) => state === 'complete' && resolve(undefined));
});
connection.setLocalDescription('offer');
await gathered;
connection.setRemoteDescription(await offer(connection.localDescription().sdp, tracks), 'answer');
tellOf(() => seen);

/** werift, all of which is TypeScript, as a member: it has no coders. */

import * as werift from 'werift';
import { meetsChromium } from './lib/stack.js';

/** @type {import('./lib/stack.js').Connect} */
async function connect(member) {
  const connection = new werift.RTCPeerConnection({
    bundlePolicy: 'max-bundle',
    codecs: { audio: [werift.useOPUS()], video: [werift.useVP8()] },
    headerExtensions: { audio: [werift.useSdesMid()], video: [werift.useSdesMid()] },
  });
  const seen = { audio: 0, video: 0, channels: 0, words: 0 };
  const tracks = [];
  for (const kind of /** @type {const} */ (['audio', 'video'])) {
    const track = new werift.MediaStreamTrack({ kind });
    const sending = connection.addTransceiver(track, { direction: 'sendonly' });
    const receiving = connection.addTransceiver(kind, { direction: 'recvonly' });
    receiving.onTrack.subscribe((coming) => {
      coming.onReceiveRtp.subscribe((packet) => {
        seen[kind] += 1;
        track.writeRtp(packet.clone());
      });
      const ask = () => receiving.receiver.sendRtcpPLI(coming.ssrc);
      sending.sender.onPictureLossIndication.subscribe(ask);
    });
    tracks.push({ sending, source: kind === 'audio' ? 'microphone' : 'camera' });
  }
  // For the section alone: it takes its streams by its role in ICE, where RFC 8832 (6) has the one
  // in DTLS, so what it opens itself would be the server's.
  connection.createDataChannel('section', { negotiated: true, id: 62 });
  connection.onDataChannel.subscribe((channel) => {
    seen.channels += 1;
    channel.onMessage.subscribe((data) => {
      seen.words += 1;
      channel.send(data);
    });
  });
  await connection.setLocalDescription(await connection.createOffer());
  const named = tracks.map(({ sending, source }) => ({ mid: sending.mid, source }));
  const sdp = await member.offer(connection.localDescription.sdp, named);
  await connection.setRemoteDescription({ type: 'answer', sdp });
  return { look: () => seen, close: () => connection.close() };
}

meetsChromium('werift', connect);

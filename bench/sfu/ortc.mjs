// mediasoup's parameters (ORTC) as the load's descriptions, and the other way: no more of either
// than the load speaks.

export const CODECS = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
];
// What the load has of extensions.
export const EXTENSIONS = [
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:ietf:params:rtp-hdrext:sdes:mid',
];

const valueOf = (sdp, name) => sdp.match(new RegExp(`^a=${name}:(.*)$`, 'm'))?.[1].trim();

const linesOf = (sdp, name) => sdp.split(/\r?\n/).filter((line) => line.startsWith(`a=${name}`));

// The sections of a description, without what stands before them.
export const sectionsOf = (sdp) => sdp.split(/^(?=m=)/m).slice(1);

// Of the load's description: who begins, and what it is to be known by.
export function dtlsOf(sdp) {
  const [algorithm, value] = valueOf(sdp, 'fingerprint').split(' ');
  const roles = { active: 'client', passive: 'server', actpass: 'client' };
  return {
    role: roles[valueOf(sdp, 'setup')],
    fingerprints: [{ algorithm: algorithm.toLowerCase(), value }],
  };
}

// What a section of the load's offer sends, for a producer.
export function sent(section) {
  const kind = section.slice(2, section.indexOf(' '));
  const codec = CODECS.find((one) => one.kind === kind);
  const ssrc = Number(valueOf(section, 'ssrc').split(' ')[0]);
  const payloadType = kind === 'audio' ? 111 : 96;
  const { mimeType, clockRate, channels } = codec;
  const rtcpFeedback = linesOf(section, `rtcp-fb:${payloadType}`)
    .map((line) => line.split(' '))
    .map(([, type, parameter]) => ({ type, parameter }));
  const headerExtensions = linesOf(section, 'extmap')
    .map((line) => line.match(/^a=extmap:(\d+)\S* (\S+)/))
    .map(([, id, uri]) => ({ id: Number(id), uri }));
  const rtpParameters = {
    mid: valueOf(section, 'mid'),
    codecs: [{ mimeType, clockRate, channels, payloadType, rtcpFeedback }],
    headerExtensions,
    encodings: [{ ssrc }],
    rtcp: { cname: 'load', reducedSize: true },
  };
  const repeats = section.match(/^a=ssrc-group:FID \d+ (\d+)/m);
  if (repeats) {
    const parameters = { apt: payloadType };
    rtpParameters.codecs.push({
      mimeType: 'video/rtx', clockRate, payloadType: payloadType + 1, parameters,
    });
    rtpParameters.encodings[0].rtx = { ssrc: Number(repeats[1]) };
  }
  return { kind, rtpParameters };
}

// The lines of a description of ours before its sections.
export function head(transport, mids) {
  const { iceParameters, dtlsParameters } = transport;
  const { algorithm, value } = dtlsParameters.fingerprints.find(
    (one) => one.algorithm === 'sha-256',
  );
  return [
    'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=ice-lite',
    `a=group:BUNDLE ${mids.join(' ')}`,
    `a=ice-ufrag:${iceParameters.usernameFragment}`, `a=ice-pwd:${iceParameters.password}`,
    `a=fingerprint:${algorithm} ${value}`,
  ];
}

// What a producer takes, or a consumer sends.
export function section(transport, kind, direction, setup, parameters) {
  const { mid, codecs, headerExtensions, encodings } = parameters;
  const lines = [
    `m=${kind} 7 UDP/TLS/RTP/SAVPF ${codecs.map((codec) => codec.payloadType).join(' ')}`,
    'c=IN IP4 0.0.0.0', `a=mid:${mid}`, `a=${direction}`, `a=setup:${setup}`, 'a=rtcp-mux',
    'a=rtcp-rsize',
  ];
  for (const { foundation, priority, ip, port } of transport.iceCandidates)
    lines.push(`a=candidate:${foundation} 1 udp ${priority} ${ip} ${port} typ host`);
  for (const { id, uri } of headerExtensions) lines.push(`a=extmap:${id} ${uri}`);
  for (const { mimeType, clockRate, channels, payloadType, rtcpFeedback, parameters } of codecs) {
    const name = mimeType.split('/')[1];
    const many = channels > 1 ? `/${channels}` : '';
    lines.push(`a=rtpmap:${payloadType} ${name}/${clockRate}${many}`);
    for (const { type, parameter } of rtcpFeedback ?? [])
      lines.push(`a=rtcp-fb:${payloadType} ${type}${parameter ? ` ${parameter}` : ''}`);
    if (parameters?.apt) lines.push(`a=fmtp:${payloadType} apt=${parameters.apt}`);
  }
  if (direction === 'sendonly') {
    const [{ ssrc, rtx }] = encodings;
    if (rtx) lines.push(`a=ssrc-group:FID ${ssrc} ${rtx.ssrc}`);
    for (const one of rtx ? [ssrc, rtx.ssrc] : [ssrc]) lines.push(`a=ssrc:${one} cname:bench`);
  }
  return lines;
}

export const text = (lines) => lines.map((line) => `${line}\r\n`).join('');

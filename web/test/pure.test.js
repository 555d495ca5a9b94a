import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isPoor, sampleOf, totalsOf } from '../rtc/stats.js';
import { lighten, slotCount } from '../rtc/offer.js';
import { slotsOf } from '../rtc/slots.js';
import { reasonOf } from '../media/problems.js';
import {
  isName, isPolite, isRoom, memberNumber, pathOfRoom, roomOfPath, tokenOfAddress,
} from '../signal/limits.js';
import { roomName } from '../room-name.js';

test('names and rooms have the limits of the protocol, counted in bytes', () => {
  assert.ok(isName('Mina / Design'));
  assert.ok(!isName('   '));
  assert.ok(!isName('a\u0007b'));
  assert.ok(isName('가'.repeat(42)));
  assert.ok(!isName('가'.repeat(43))); // 129 bytes
  assert.ok(isRoom('주간 회의'));
  assert.ok(!isRoom('a/b'));
  assert.ok(!isRoom(''));
});

test('an address takes a token along, in its fragment before its query', () => {
  assert.equal(tokenOfAddress('', ''), '');
  assert.equal(tokenOfAddress('?name=Mina', '#chat'), '');
  assert.equal(tokenOfAddress('?token=a.b.c&x=1', ''), 'a.b.c');
  assert.equal(tokenOfAddress('', '#token=a.b-c_d'), 'a.b-c_d');
  assert.equal(tokenOfAddress('?token=a', '#x=1&token=b'), 'b');
});

test('a path names a room, and a room a path', () => {
  assert.equal(roomOfPath('/r/daily%20standup'), 'daily standup');
  assert.equal(roomOfPath(pathOfRoom('주간 회의 #1?')), '주간 회의 #1?');
  assert.equal(roomOfPath('/r/%E0%A4%A'), '');
  assert.equal(roomOfPath('/r/a%2Fb'), '');
  assert.equal(roomOfPath('/'), '');
});

test('a made-up room is a room', () => {
  for (const at of [() => 0, (limit) => limit - 1]) assert.ok(isRoom(roomName(at)));
});

test('the greater number is polite, as a number and not as a text', () => {
  assert.equal(memberNumber('m10'), 10);
  assert.ok(isPolite('m10', 'm9'));
  assert.ok(!isPolite('m9', 'm10'));
});

test('sections are told apart by kind and order', () => {
  const section = (kind, direction = 'sendrecv') => ({ receiver: { track: { kind } }, direction });
  const kinds = ['audio', 'video', 'video', 'audio'];
  const [mic, camera, screen, sound] = kinds.map((kind) => section(kind));
  const slots = slotsOf([mic, camera, screen, sound]);
  assert.deepEqual(slots, { mic, camera, screen, screenAudio: sound });
  assert.deepEqual(slotsOf([section('video', 'stopped'), camera]), { camera });
});

test('every failure of a device has its reason', () => {
  const named = (name, message = '') => Object.assign(new Error(message), { name });
  assert.equal(reasonOf(named('NotAllowedError'), 'camera'), 'refused');
  const bySystem = named('NotAllowedError', 'Permission denied by system');
  assert.equal(reasonOf(bySystem, 'mic'), 'refusedBySystem');
  assert.equal(reasonOf(named('NotAllowedError'), 'screen'), 'cancelled');
  assert.equal(reasonOf(named('NotFoundError'), 'mic'), 'missing');
  assert.equal(reasonOf(named('NotReadableError'), 'camera'), 'busy');
  assert.equal(reasonOf(named('InsecureOrigin'), 'camera'), 'insecure');
  assert.equal(reasonOf(null, 'camera'), 'unknown');
});

test('two reports make a sample', () => {
  const report = (at, bytes, packets, lost) => totalsOf([
    {
      type: 'inbound-rtp', timestamp: at, bytesReceived: bytes, packetsReceived: packets,
      packetsLost: lost, framesDecoded: packets,
    },
    { type: 'outbound-rtp', timestamp: at, bytesSent: bytes * 2 },
    { type: 'transport', selectedCandidatePairId: 'p' },
    {
      type: 'candidate-pair', id: 'p', timestamp: at, currentRoundTripTime: 0.02,
      localCandidateId: 'l',
    },
    { type: 'local-candidate', id: 'l', candidateType: 'host', protocol: 'udp' },
  ]);
  const sample = sampleOf(report(1000, 1000, 10, 0), report(2000, 126000, 100, 10));
  assert.equal(sample.inKbps, 1000);
  assert.equal(sample.outKbps, 2000);
  assert.equal(sample.lossPercent, 10);
  assert.equal(sample.rttMs, 20);
  assert.equal(sample.path, 'host');
  const fresh = sampleOf(report(2000, 126000, 100, 10), report(3000, 100, 1, 0));
  assert.equal(fresh.inKbps, 0); // a new connection counts from zero
  assert.ok(isPoor([sample, sample, sample, sample]));
  assert.ok(!isPoor([sample, sample, sample]));
  assert.ok(!isPoor([fresh, fresh, fresh, fresh]));
});

test('slots are offered in steps, and never too many', () => {
  assert.deepEqual([0, 1, 2, 3, 7, 17, 99].map(slotCount), [1, 1, 2, 4, 9, 20, 20]);
});

test('an offer goes to the server without what it does not look at', () => {
  const head = 'v=0\r\na=group:BUNDLE 0 1\r\n';
  const described = 'https://aomediacodec.github.io/av1-rtp-spec/'
    + '#dependency-descriptor-rtp-header-extension';
  const kept = 'm=video 9 X 96\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n'
    + `a=extmap:12 ${described}\r\n`; // without it nobody can decode some layers of AV1 alone
  const extension = 'a=extmap:2 urn:ietf:params:rtp-hdrext:toffset\r\n';
  const candidate = 'a=candidate:1 1 udp 2113937151 192.0.2.1 5000 typ host\r\n';
  const sent = `${kept}${extension}a=sendonly\r\n`;
  assert.equal(lighten(`${head}${kept}${extension}${candidate}a=sendonly\r\n`
    + `${kept}${extension}a=recvonly\r\na=end-of-candidates\r\n`),
  `${head}${sent}${kept}a=recvonly\r\n`);
});

/** Many who come at once to look at one cost that one no more key frames than a few. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const VIEWERS = 20;
const KEYS_A_SECOND = 2;

/**
 * Runs in a page: so many members without devices, who come all at once; each with a connection to
 * the server of its own, and a slot of each kind.
 * @param {{ room: string, count: number }} wish
 */
function comeToLook({ room, count }) {
  /** @param {number} number */
  const come = (number) => {
    const viewer = { connection: new RTCPeerConnection(), frames: 0, errors: [] };
    const url = `${location.origin.replace('http', 'ws')}/api/v1/meet`;
    const socket = new WebSocket(url);
    /** @param {object} message */
    const say = (message) => socket.send(JSON.stringify(message));
    socket.onopen = () =>
      say({ type: 'join', version: 1, room, name: `viewer ${number}`, topologies: ['sfu'] });
    socket.onmessage = async ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'welcome') {
        for (const kind of ['audio', 'video']) {
          viewer.connection.addTransceiver(kind, { direction: 'recvonly' });
        }
        await viewer.connection.setLocalDescription();
        const { sdp } = /** @type {any} */ (viewer.connection.localDescription);
        say({ type: 'sfu-offer', new: true, sdp, tracks: [] });
      } else if (message.type === 'sfu-answer') {
        await viewer.connection.setRemoteDescription({ type: 'answer', sdp: message.sdp });
      } else if (message.type === 'error') {
        viewer.errors.push(message);
      }
    };
    return viewer;
  };
  Object.assign(window, { viewers: Array.from({ length: count }, (_, i) => come(i)) });
}

/** Runs in the viewers' page: how many frames each has decoded. */
async function lookAtFrames() {
  const { viewers } = /** @type {any} */ (window);
  const frames = [];
  for (const { connection, errors } of viewers) {
    if (errors.length) throw new Error(JSON.stringify(errors));
    let sum = 0;
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp') sum += entry.framesDecoded ?? 0;
    }
    frames.push(sum);
  }
  return frames;
}

/** Runs in the publisher's page: its key frames so far, of the layer that has the most. */
async function lookAtKeys() {
  // @ts-ignore - the page's own handle
  const { connection } = window.moim.ways.sfu;
  let keys = 0;
  for (const entry of (await connection.getStats()).values()) {
    if (entry.type === 'outbound-rtp') keys = Math.max(keys, entry.keyFramesEncoded ?? 0);
  }
  return { keys, at: performance.now() };
}

scenario(
  `${VIEWERS} who come at once cost at most ${KEYS_A_SECOND} key frames a second`,
  async (stage) => {
    const mina = await stage.person('Mina', { camera: 'small' });
    const jun = await stage.person('Jun', { camera: 'small' });
    await stage.enter('stage', [mina]);
    await mina.isVia('sfu');
    await until('Mina to send', async () => (await mina.ask(lookAtKeys)).keys > 0);
    await jun.open('/'); // a page from the server's origin, for the viewers
    const before = await mina.ask(lookAtKeys);
    await jun.ask(comeToLook, { room: 'stage', count: VIEWERS });
    const look = () => jun.ask(lookAtFrames);
    await until(
      'all viewers to see frames',
      async () => (await look()).every((frames) => frames > 0),
      { seen: look },
    );
    const now = await mina.ask(lookAtKeys);
    const most = 1 + (KEYS_A_SECOND * (now.at - before.at)) / 1000;
    assert.ok(
      now.keys - before.keys <= most,
      `${now.keys - before.keys} key frames in ${Math.round(now.at - before.at)} ms`,
    );
  },
  { 'rooms.topology': 'sfu' },
);

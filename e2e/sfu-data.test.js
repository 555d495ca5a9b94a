/** Data channels through the server: what a member says on one, the others hear. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const LARGE = 200_000; // bytes, in many packets

/**
 * Runs in a page: a member with nothing but data channels. It answers what it hears on a channel
 * that another has opened by the same; what it hears on its own it keeps.
 * @param {{ room: string, name: string, label?: string }} wish
 */
function joinWithData({ room, name, label }) {
  const connection = new RTCPeerConnection();
  const member = { connection, heard: [], opened: [], errors: [], isUp: false };
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/v1/meet`);
  /** @param {object} message */
  const say = (message) => socket.send(JSON.stringify(message));
  const own = connection.createDataChannel(label ?? `${name}'s`, { protocol: 'echo' });
  own.binaryType = 'arraybuffer';
  own.onopen = () => Object.assign(member, { isUp: true });
  own.onmessage = ({ data }) => {
    member.heard.push(typeof data === 'string' ? data : new Uint8Array(data).length);
  };
  connection.ondatachannel = ({ channel }) => {
    channel.binaryType = 'arraybuffer';
    member.opened.push(`${channel.label} ${channel.protocol} ${channel.ordered}`);
    channel.onmessage = ({ data }) => channel.send(data);
  };
  socket.onopen = () => say({ type: 'join', version: 1, room, name, topologies: ['sfu'] });
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'welcome') {
      await connection.setLocalDescription();
      const { sdp } = /** @type {any} */ (connection.localDescription);
      say({ type: 'sfu-offer', new: true, sdp, tracks: [] });
    } else if (message.type === 'sfu-answer') {
      await connection.setRemoteDescription({ type: 'answer', sdp: message.sdp });
    } else if (message.type === 'error') {
      member.errors.push(message);
    }
  };
  Object.assign(window, { member, own });
}

/** Runs in the page. */
function look() {
  const { heard, opened, errors, isUp } = /** @type {any} */ (window).member;
  return { heard, opened, errors, isUp };
}

/**
 * Runs in the page: says a text, nothing at all, and so many bytes.
 * @param {number} size
 */
function sayAll(size) {
  const { own } = /** @type {any} */ (window);
  own.send('안녕하세요');
  own.send('');
  own.send(new Uint8Array(size));
}

for (const browsers of [
  ['chromium', 'chromium'],
  ['chromium', 'firefox'],
]) {
  scenario(
    `what ${browsers[0]} says on a data channel comes back from ${browsers[1]}`,
    async (stage) => {
      const people = [];
      for (const [i, browser] of browsers.entries()) {
        const person = await stage.person(['Mina', 'Jun'][i], { firefox: browser === 'firefox' });
        await person.open('/');
        people.push(person);
      }
      const [mina, jun] = people;
      await mina.ask(joinWithData, { room: 'data', name: 'Mina' });
      await until('Mina to have a channel', async () => (await mina.ask(look)).isUp);
      await jun.ask(joinWithData, { room: 'data', name: 'Jun' });
      const state = { seen: () => Promise.all(people.map((person) => person.ask(look))) };
      await until(
        'each to have been opened the channel of the other',
        async () => (await state.seen()).every(({ opened, isUp }) => isUp && opened.length === 1),
        state,
      );
      assert.deepEqual((await jun.ask(look)).opened, ["Mina's echo true"]);
      for (const person of people) await person.ask(sayAll, LARGE);
      await until(
        'all to come back to both',
        async () => (await state.seen()).every(({ heard }) => heard.length === 3),
        state,
      );
      for (const { heard, errors } of await state.seen()) {
        assert.deepEqual(heard, ['안녕하세요', '', LARGE]);
        assert.deepEqual(errors, []);
      }
    },
    { 'rooms.topology': 'sfu' },
  );
}

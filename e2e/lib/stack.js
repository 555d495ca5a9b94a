/**
 * Somebody else's stack as a member of a meeting through the server, opposite Chromium: it takes
 * its picture and its sound, and sends of its own. What it has no coder for it sends back as it
 * came. Each has a test file, and so a process, of its own.
 */

import assert from 'node:assert/strict';
import { Member } from './member.js';
import { scenario } from './scenario.js';
import { until } from './until.js';
import { lookAround, speak, visit } from './visitor.js';

const WORDS = ['안녕하세요', 'a second one', 20_000]; // a number is so many bytes
const MANY = 30; // frames, or packets

/**
 * @typedef {{ audio: number, video: number, channels: number, words: number }} Seen what has come:
 *   packets, or frames of video; channels that another opened, and messages on them
 *
 * @typedef {object} End of a connection with the server
 * @property {() => Promise<unknown> | unknown} close
 * @property {() => Promise<Seen> | Seen} look
 *
 * @typedef {(member: Member) => Promise<End>} Connect joined, it connects with the server
 */

/**
 * The test of a stack.
 * @param {string} name
 * @param {Connect} connect
 * @param {string} [codec] of the pictures, both ways
 */
export function meetsChromium(name, connect, codec = 'video/VP8') {
  scenario(
    `${name} and Chromium see, hear and tell one another`,
    async (stage) => {
      const mina = await stage.person('Mina');
      await mina.open('/');
      await mina.ask(visit, { room: 'stacks', codec, words: WORDS });
      const member = new Member(stage.server);
      stage.after(() => member.close());
      await member.join('stacks', name, { topologies: ['sfu'] });
      const end = await connect(member);
      stage.after(() => end.close());
      const look = () => mina.ask(lookAround);
      const state = { seen: async () => ({ visitor: await look(), [name]: await end.look() }) };
      await until(
        `${name} to get Chromium's picture and sound`,
        async () => {
          const { audio, video } = await end.look();
          return audio >= MANY && video >= MANY;
        },
        state,
      );
      await until(
        `Chromium to decode what ${name} sends`,
        async () => {
          const { frames, sound } = await look();
          return frames >= MANY && sound >= MANY;
        },
        state,
      );
      await until('the data channel', async () => (await end.look()).channels > 0, state);
      await mina.ask(speak);
      await until(
        'all words to come back',
        async () => (await look()).heard.length >= WORDS.length,
        state,
      );
      const { heard, errors } = await look();
      assert.deepEqual({ heard, errors }, { heard: WORDS, errors: [] });
    },
    { 'rooms.topology': 'sfu' },
  );
}

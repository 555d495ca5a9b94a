/** Kind E: rooms over Socket.IO in which mediasoup-client finds the SFU. */

import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { receives } from './clients/consumers.js';
import { openHouse, visit } from './clients/visit.js';
import { launchFirefox } from './lib/browsers.js';
import { until } from './lib/until.js';

const house = openHouse();
const FRAMES = 10;

/**
 * @param {string} name
 * @param {string} room
 * @param {Record<string, string>} [wishes]
 */
async function enter(name, room, wishes = {}) {
  const guest = await house.guest(name, 'sfu.html', { room, ...wishes });
  await guest.reads('state', 'sending');
  return guest;
}

/**
 * What the page's connections say of streams of a kind.
 * @param {import('./clients/guest.js').Guest} guest
 * @param {string} type of getStats
 * @returns {Promise<Record<string, any>[]>}
 */
function streams(guest, type) {
  return guest.page.evaluate(async (wanted) => {
    const found = [];
    // @ts-ignore - put there by noteConnections
    for (const connection of window.connectionsMade) {
      if (connection.connectionState === 'closed') continue;
      for (const entry of (await connection.getStats()).values()) {
        if (entry.type === wanted && entry.kind === 'video') found.push(entry);
      }
    }
    return found;
  }, type);
}

visit(house, 'three see and hear each other, and another room does not', async () => {
  const people = [];
  for (const name of ['Mina', 'Ada', 'Jun']) people.push(await enter(name, 'one'));
  const grace = await enter('Grace', 'two');
  for (const person of people) await receives(person, 2);
  assert.equal(await grace.read('count'), '0');

  await people[2].page.context().close();
  house.guests.splice(house.guests.indexOf(people[2]), 1);
  for (const person of people.slice(0, 2)) {
    await person.reads('count', '2');
    await receives(person, 1);
  }
});

visit(house, 'of a simulcast, the best encoding is seen', async () => {
  const mina = await enter('Mina', 'one', { picture: 'large' });
  const ada = await enter('Ada', 'one');
  await receives(ada, 1);
  await until(
    'three encodings to be sent',
    async () => {
      const sent = await streams(mina, 'outbound-rtp');
      return sent.length === 3 && sent.every(({ framesSent }) => framesSent > 0);
    },
    { seen: () => streams(mina, 'outbound-rtp') },
  );
  await until(
    'the largest picture to be seen',
    async () => (await streams(ada, 'inbound-rtp')).some(({ frameHeight }) => frameHeight === 540),
    { seen: () => streams(ada, 'inbound-rtp') },
  );
});

/** Runs in a page. */
async function decoded() {
  let frames = 0;
  // @ts-ignore - the page's
  for (const { consumer } of window.visit?.consuming.values() ?? []) {
    if (consumer?.kind !== 'video') continue;
    for (const entry of (await consumer.getStats()).values()) {
      if (entry.type === 'inbound-rtp') frames += entry.framesDecoded ?? 0;
    }
  }
  return frames;
}

visit(house, 'Firefox and Chromium see and hear each other', async () => {
  const firefox = await launchFirefox();
  try {
    const page = await firefox.newPage();
    const mina = await enter('Mina', 'one');
    await page.goto(house.site.url + house.pagePath('sfu.html', { room: 'one' }));
    await until('Firefox to see frames', async () => (await page.evaluate(decoded)) > FRAMES, {
      seen: () => page.evaluate(() => document.body.innerText),
    });
    await receives(mina, 1);
  } finally {
    await firefox.close();
  }
});

visit(house, 'nothing comes before a consumer is resumed', async () => {
  const mina = await enter('Mina', 'one');
  const ada = await enter('Ada', 'one', { resume: 'later' });
  await ada.reads('count', '2');
  const isConnected = () =>
    ada.page.evaluate(() =>
      // @ts-ignore - put there by noteConnections
      window.connectionsMade.slice(-2).every((each) => each.connectionState === 'connected'),
    );
  await until('the transports to be connected', isConnected);
  const sent = async () => {
    const encodings = await streams(mina, 'outbound-rtp');
    return encodings.reduce((sum, { framesSent }) => sum + (framesSent ?? 0), 0);
  };
  const before = await sent();
  await until('frames to be sent', async () => (await sent()) > before + FRAMES, { seen: sent });
  for (const { packetsReceived } of await streams(ada, 'inbound-rtp')) {
    assert.equal(packetsReceived, 0);
  }
  await ada.page.evaluate(() => {
    // @ts-ignore - the page's
    for (const { resume } of window.visit.consuming.values()) resume();
  });
  await receives(ada, 1);
});

visit(house, 'who loses the server comes back, and is seen again', async () => {
  const mina = await enter('Mina', 'one');
  const ada = await enter('Ada', 'one');
  await receives(mina, 1);
  await ada.page.evaluate(() => {
    // @ts-ignore - the page's
    window.visit.socket.io.engine.close();
  });
  await receives(ada, 1);
  await receives(mina, 1);
  await mina.reads('count', '2');
});

visit(house, 'what can not be is told with its place', async () => {
  const socket = io(house.server.url, { transports: ['websocket'] });
  house.afterwards(() => socket.close());
  /** @param {any[]} said @returns {Promise<any>} */
  const ask = (...said) => socket.timeout(5000).emitWithAck(...said);
  const success = new Promise((resolve) => socket.once('connection-success', resolve));
  assert.deepEqual(await success, { socketId: socket.id });

  assert.deepEqual(await ask('createWebRtcTransport', { consumer: true }), {
    params: { error: 'join a room first' },
  });
  const { rtpCapabilities } = await ask('joinRoom', { roomName: 'errors' });
  assert.ok(rtpCapabilities.codecs.some(({ mimeType }) => mimeType === 'video/VP8'));
  assert.deepEqual(await ask('transport-produce', { kind: 'video', rtpParameters: {} }), {
    error: 'there is no transport to send on',
  });
  const { params } = await ask('createWebRtcTransport', { consumer: false });
  assert.equal(params.iceParameters.iceLite, true);
  assert.ok(params.iceCandidates.length > 0);
  assert.deepEqual(await ask('transport-produce', { kind: 'video', rtpParameters: {} }), {
    error: 'rtpParameters.encodings: at least one is wanted',
  });
  const nothing = { remoteProducerId: 'x', serverConsumerTransportId: 'y' };
  assert.deepEqual(await ask('consume', { rtpCapabilities, ...nothing }), {
    params: { error: 'there is no such transport to receive on' },
  });
});

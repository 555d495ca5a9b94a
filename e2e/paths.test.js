/** The ways to the server: its own STUN, and https with the certificate that it made itself. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const ANSWERED = 'moim_stun_requests_total{result="answered"}';

scenario("the page is told of this server's STUN, and asks it", async (stage) => {
  const mina = await stage.person('Mina');
  const welcomes = /** @type {any[]} */ ([]);
  mina.page.on('websocket', (/** @type {import('playwright-core').WebSocket} */ socket) => {
    socket.on('framereceived', ({ payload }) => {
      const message = JSON.parse(String(payload));
      if (message.type === 'welcome') welcomes.push(message);
    });
  });
  assert.equal(await stage.server.metric(ANSWERED), 0);
  await mina.enter('stun');
  const { stun, https } = stage.server.ports;
  const relays = [
    `turn:localhost:${stun}?transport=udp`,
    `turn:localhost:${stun}?transport=tcp`,
    `turn:localhost:${https}?transport=tcp`,
  ];
  assert.deepEqual(
    welcomes.map(({ iceServers }) => iceServers.map((/** @type {RTCIceServer} */ one) => one.urls)),
    [[[`stun:localhost:${stun}`], relays]],
  );

  const jun = await stage.person('Jun');
  await jun.enter('stun');
  await stage.allSeeAll([mina, jun]);
  await until("the server's count of STUN answers", async () => {
    return (await stage.server.metric(ANSWERED)) > 0;
  });
  assert.ok((await candidates(mina)).some((candidate) => candidate.type === 'host'));
});

scenario('a browser without leave to see addresses learns its own from the STUN', async (stage) => {
  // Without camera and microphone the browser hides host addresses behind made-up .local names; on
  // the open network nothing but the STUN's answer would then lead here.
  const mina = await stage.person('Mina', { devices: { permission: 'deny' } });
  const jun = await stage.person('Jun');
  await stage.enter('hidden', [mina, jun]);
  await mina.seesMoving(['Jun']);
  // Asked of a connection that has nobody: one that has found its peer gives up on the STUN.
  assert.ok((await mina.ask(gatherAlone)).includes('srflx'));
});

scenario('https works with the certificate that the server made for itself', async (stage) => {
  const url = `https://localhost:${stage.server.ports.https}`;
  const people = [];
  for (const name of ['Mina', 'Jun']) {
    people.push(await stage.person(name, { url, ignoreHTTPSErrors: true }));
  }
  const [mina, jun] = people;
  await stage.enter('secure', people);
  await stage.allSeeAll(people);
  await mina.say('over TLS');
  await jun.hasChat(['over TLS']);
  assert.match(
    await mina.ask(() => document.location.href),
    /^https:\/\/localhost:\d+\/r\/secure$/,
  );
  // The same room, whichever way one comes.
  const ada = await stage.person('Ada', { camera: 'small' });
  await ada.enter('secure');
  await stage.allSeeAll([mina, ada]);
});

/**
 * The candidates that the page's first connection has found for itself.
 * @param {import('./lib/person.js').Person} person
 * @returns {Promise<{ type: string, address: string }[]>}
 */
function candidates(person) {
  return person.ask(async () => {
    // @ts-ignore - the page's own handle
    const connection = window.moim.connection(window.moim.members[0]);
    return [...(await connection.getStats()).values()]
      .filter((entry) => entry.type === 'local-candidate')
      .map(({ candidateType, address }) => ({ type: candidateType, address }));
  });
}

/** Runs in the page: what a connection like its first finds for itself before it has a peer. */
async function gatherAlone() {
  // @ts-ignore - the page's own handle
  const { connection, members } = window.moim;
  const alone = new RTCPeerConnection(connection(members[0]).getConfiguration());
  const found = /** @type {(string | null)[]} */ ([]);
  alone.createDataChannel('');
  await alone.setLocalDescription();
  await new Promise((resolve) => {
    alone.onicecandidate = ({ candidate }) => {
      if (candidate) found.push(candidate.type);
      if (!candidate || candidate.type === 'srflx') resolve(null);
    };
  });
  alone.close();
  return found;
}

/** The way to the server is looked for anew under way, and the connection itself is made anew. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const SETTINGS = { 'rooms.topology': 'sfu' };

/** Runs in the page: the credentials of its end. */
function ufrag() {
  // @ts-ignore - the page's own handle
  const { connection } = window.moim.ways.sfu;
  return /a=ice-ufrag:(\S+)/.exec(connection?.remoteDescription?.sdp ?? '')?.[1] ?? '';
}

scenario('ICE restarts with the server, and the picture goes on', async (stage) => {
  const mina = await stage.person('Mina', { camera: 'small' });
  const jun = await stage.person('Jun', { camera: 'small' });
  const all = [mina, jun];
  await stage.enter('restart', all);
  await stage.allSeeAll(all);
  const before = await mina.ask(ufrag);
  await mina.ask(() => {
    // @ts-ignore - the page's own handle
    const { sfu } = window.moim.ways;
    Object.assign(window, { connectionBefore: sfu.connection });
    sfu.restart();
  });
  await until('new credentials', async () => (await mina.ask(ufrag)) !== before);
  await stage.allSeeAll(all);
  assert.ok(
    // @ts-ignore - as above
    await mina.ask(() => window.moim.ways.sfu.connection === window.connectionBefore),
    'it is the same connection',
  );
}, SETTINGS);

scenario('a connection that the page has lost is made anew', async (stage) => {
  const mina = await stage.person('Mina', { camera: 'small' });
  const jun = await stage.person('Jun', { camera: 'small' });
  const all = [mina, jun];
  await stage.enter('anew', all);
  await stage.allSeeAll(all);
  // The browser closes it without the page's knowing: the server says so.
  // @ts-ignore - the page's own handle
  await mina.ask(() => window.moim.ways.sfu.connection.close());
  await stage.allSeeAll(all);
  await mina.ask(() => {
    // @ts-ignore - the page's own handle
    window.moim.session.drop();
  });
  await jun.seesTile('Mina', { away: 'false' });
  await stage.allSeeAll(all);
}, SETTINGS);

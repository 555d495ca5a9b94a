/**
 * Kind B: a streamer that offers once, and a viewer that answers, over a bare WebSocket. In the
 * original a viewer that came behind the offer saw nothing; here the offer is kept for it.
 */

import { openHouse, visit } from './clients/visit.js';

const house = openHouse();

visit(house, 'a viewer that waits sees the streamer that comes', async () => {
  const viewer = await house.guest('Viewer', 'viewer.html');
  await viewer.reads('state', 'open');
  const streamer = await house.guest('Streamer', 'streamer.html');
  await streamer.reads('state', /offered/);
  await viewer.receives(1);
});

visit(house, 'a viewer that comes late sees the streamer', async () => {
  const streamer = await house.guest('Streamer', 'streamer.html');
  await streamer.reads('state', 'offered, all told');
  const viewer = await house.guest('Viewer', 'viewer.html', { whole: 'yes' });
  await viewer.receives(1);
});

visit(house, 'the next streamer is seen, and nothing of the one that went', async () => {
  const first = await house.guest('First', 'streamer.html');
  await first.reads('state', 'offered, all told');
  await house.empty();
  const viewer = await house.guest('Viewer', 'viewer.html');
  await viewer.reads('state', 'open');
  const second = await house.guest('Second', 'streamer.html');
  await second.reads('state', /offered/);
  await viewer.receives(1);
});

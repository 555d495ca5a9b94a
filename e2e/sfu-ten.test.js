/** Ten in a room: nine in one page (two processors would not carry ten pages), and one at hers. */

import { come, lookAround } from './lib/crowd.js';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

const NINE = 9;

scenario('ten members see and hear one another through the server', async (stage) => {
  const crowd = await stage.person('Crowd', { camera: 'small' });
  const mina = await stage.person('Mina', { camera: 'small' });
  await crowd.open('/');
  await come(crowd, { room: 'ten', count: NINE, slots: NINE, publishes: true });
  await mina.enter('ten');
  const look = () => lookAround(crowd);
  await until(
    'each of nine to see and hear nine others',
    async () =>
      (await look()).every(({ tracks }) => {
        const seen = tracks.filter(({ source, frames }) => source === 'camera' && frames > 5);
        const heard = tracks.filter(({ source, energy }) => source === 'microphone' && energy > 0);
        return seen.length === NINE && heard.length === NINE;
      }),
    { seen: look },
  );
  await mina.isVia('sfu');
  await mina.seesMoving(Array.from({ length: NINE }, (_, i) => `member ${i}`));
}, { 'rooms.topology': 'sfu' });

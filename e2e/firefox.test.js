/**
 * A Chromium and a Firefox in one meeting. Firefox is driven by Puppeteer over WebDriver BiDi; its
 * made-up camera shows a colour that changes, and its made-up microphone hums.
 *
 * What can't be driven: a Firefox without a display has no screen to share (its getDisplayMedia
 * fails with NotFoundError, whatever it is allowed), so a drawing takes the screen's place there.
 */

import { scenario } from './lib/scenario.js';

scenario('Chromium comes to Firefox: they see, hear and read each other', async (stage) => {
  const mina = await stage.person('Mina', { firefox: true });
  const jun = await stage.person('Jun');
  await stage.enter('foxes', [mina, jun]);
  await stage.allSeeAll([mina, jun]);

  await jun.say('안녕 🦊');
  await mina.hasChat(['안녕 🦊']);
  await mina.say('hello');
  await jun.hasChat(['안녕 🦊', 'hello']);

  await mina.click('cam');
  await jun.seesTile('Mina', { video: 'false' });
  await mina.click('cam');
  await jun.seesTile('Mina', { video: 'true' });
  await jun.seesMoving(['Mina']);
});

scenario('Firefox comes to Chromium, and a shared screen arrives', async (stage) => {
  const mina = await stage.person('Mina');
  const jun = await stage.person('Jun', { firefox: true });
  await mina.enter('foxes');
  await mina.click('screen');
  await jun.enter('foxes');
  await stage.allSeeAll([mina, jun]);
  await jun.seesScreen();
  await mina.click('screen');
  await jun.seesNo('screen-tile');

  await jun.ask(shareDrawing);
  await jun.click('screen');
  await mina.seesScreen();

  await jun.click('leave');
  await mina.seesOnly([]);
});

/** Runs in the page: instead of a screen, a canvas that is drawn on all the time. */
function shareDrawing() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 360];
  const paper = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  let hue = 0;
  setInterval(() => {
    hue = (hue + 5) % 360;
    paper.fillStyle = `hsl(${hue} 80% 50%)`;
    paper.fillRect(0, 0, canvas.width, canvas.height);
  }, 100);
  navigator.mediaDevices.getDisplayMedia = async () => canvas.captureStream(10);
}

/** Sharing a screen: the others get the picture, beside the camera's, and it ends when it ends. */

import { scenario } from './lib/scenario.js';

scenario('a shared screen arrives beside the camera, and at a latecomer too', async (stage) => {
  const [mina, jun] = [await stage.person('Mina'), await stage.person('Jun')];
  await stage.enter('slides', [mina, jun]);
  await stage.allSeeAll([mina, jun]);

  await mina.click('screen');
  await jun.seesScreen();
  await jun.seesMoving(['Mina']); // the camera goes on

  const ada = await stage.person('Ada', { camera: 'small' });
  await ada.enter('slides');
  await ada.seesScreen();

  await mina.click('screen');
  await jun.seesNo('screen-tile');
  await ada.seesNo('screen-tile');
  await stage.allSeeAll([mina, jun, ada]);
});

scenario("two may share at once, and the browser's own stop button counts", async (stage) => {
  const [mina, jun] = [await stage.person('Mina'), await stage.person('Jun')];
  await stage.enter('both', [mina, jun]);
  await stage.allSeeAll([mina, jun]);
  await mina.click('screen');
  await jun.click('screen');
  await jun.seesScreen();
  await mina.seesScreen();

  // That button ends the track at its source; the page hears `ended`.
  await mina.ask(() => {
    // @ts-ignore - the page's own handle
    const senders = window.moim.connection(window.moim.members[0]).getSenders();
    const track = senders
      .map((/** @type {RTCRtpSender} */ sender) => sender.track)
      .find((/** @type {MediaStreamTrack | null} */ sent) => sent?.getSettings().displaySurface);
    track.stop();
    track.dispatchEvent(new Event('ended'));
  });
  await jun.seesNo('screen-tile');
  await mina.seesScreen();
});

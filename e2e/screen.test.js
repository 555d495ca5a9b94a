/** Sharing a screen: the others get the picture, beside the camera's, and it ends when it ends. */

import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

/** @param {import('./lib/person.js').Person} person */
const lookAtScreen = (person) =>
  person.ask(async () => {
    const tile = document.querySelector('[data-testid="screen-tile"]');
    const video = tile?.querySelector('video');
    if (!video) return null;
    const stream = /** @type {MediaStream | null} */ (video.srcObject);
    const track = stream?.getVideoTracks()[0];
    let frames = 0;
    // @ts-ignore - the page's own handle
    const connection = window.moim.connection(/** @type {HTMLElement} */ (tile).dataset.member);
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp' && entry.trackIdentifier === track?.id)
        frames += entry.framesDecoded ?? 0;
    }
    return {
      frames,
      width: video.videoWidth,
      label: tile?.querySelector('.tile-text')?.textContent ?? '',
    };
  });

/** @param {import('./lib/person.js').Person} person */
const seesScreen = (person) =>
  until(
    `a shared screen at ${person.name}`,
    async () => {
      const screen = await lookAtScreen(person);
      return screen && screen.frames > 0 && screen.width > 0;
    },
    { seen: () => lookAtScreen(person) },
  );

scenario('a shared screen arrives beside the camera, and at a latecomer too', async (stage) => {
  const [mina, jun] = [await stage.person('Mina'), await stage.person('Jun')];
  await stage.enter('slides', [mina, jun]);
  await stage.allSeeAll([mina, jun]);

  await mina.click('screen');
  await seesScreen(jun);
  await jun.seesMoving(['Mina']); // the camera goes on

  const ada = await stage.person('Ada', { camera: 'small' });
  await ada.enter('slides');
  await seesScreen(ada);

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
  await seesScreen(jun);
  await seesScreen(mina);

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
  await seesScreen(mina);
});

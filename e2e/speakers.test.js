/** Who speaks is marked in the others' pages; and seen, where a room shows some alone. */

import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.js';
import { until } from './lib/until.js';

/** Runs in the page, before it: its microphone is a tone that the test turns on and off. */
function tuneMicrophone() {
  const devices = navigator.mediaDevices;
  const getUserMedia = devices.getUserMedia.bind(devices);
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: 330 });
  const gain = new GainNode(context, { gain: 0 });
  const out = context.createMediaStreamDestination();
  tone.connect(gain).connect(out);
  tone.start();
  Object.assign(window, {
    speak: async (/** @type {boolean} */ isOn) => {
      await context.resume();
      gain.gain.value = isOn ? 0.3 : 0;
    },
  });
  devices.getUserMedia = async (wish = {}) => {
    const stream = await getUserMedia(wish);
    for (const track of stream.getAudioTracks()) {
      track.stop();
      stream.removeTrack(track);
      stream.addTrack(out.stream.getAudioTracks()[0].clone());
    }
    return stream;
  };
}

/** @typedef {import('./lib/person.js').Person} Person */

/**
 * They are in a room, and silent.
 * @param {any} stage
 * @param {string[]} names
 * @returns {Promise<Person[]>}
 */
async function gather(stage, names) {
  /** @type {Person[]} */
  const people = [];
  for (const name of names) {
    const person = await stage.person(name, { camera: 'small' });
    await person.page.addInitScript(tuneMicrophone);
    people.push(person);
  }
  await stage.enter('speakers', people);
  for (const person of people) {
    await person.seesOnly(names.filter((name) => name !== person.name));
    await person.isVia('sfu');
    await speak(person, false);
  }
  return people;
}

/**
 * @param {Person} person
 * @param {boolean} isOn
 */
// @ts-ignore - tuneMicrophone's
const speak = (person, isOn) => person.ask((on) => window.speak(on), isOn);

/**
 * Of the others, that one is marked as who speaks, and nobody else.
 * @param {Person[]} people
 * @param {Person} speaker
 */
async function marked(people, speaker) {
  for (const person of people) {
    if (person === speaker) continue;
    await person.seesTile(speaker.name, { speaking: 'true', dominant: 'true' });
    for (const other of people) {
      if (other === person || other === speaker) continue;
      await person.seesTile(other.name, { speaking: 'false' });
      assert.notEqual((await person.tiles())[other.name].dominant, 'true');
    }
  }
}

/**
 * The pictures of some move, and those of the others stand still meanwhile.
 * @param {Person} person
 * @param {Person[]} shown
 * @param {Person[]} hidden
 */
async function seesAlone(person, shown, hidden) {
  /** @type {Record<string, import('./lib/person.js').Picture> | null} */
  let mark = null;
  const look = () => person.pictures();
  await until(`${person.name} to see ${shown.map(({ name }) => name)} alone`, async () => {
    const now = await look();
    const before = mark;
    if (!before || hidden.some(({ name }) => now[name].frames !== before[name].frames)) {
      mark = now;
      return false;
    }
    return shown.every(({ name }) => now[name].frames >= before[name].frames + 10);
  }, { seen: look });
}

scenario('who speaks is marked in the other pages', async (stage) => {
  const people = await gather(stage, ['Mina', '박준호', 'Ada']);
  for (const speaker of [people[2], people[0], people[1]]) {
    await speak(speaker, true);
    await marked(people, speaker);
    await speak(speaker, false);
    for (const person of people) {
      if (person !== speaker) await person.seesTile(speaker.name, { speaking: 'false' });
    }
  }
  // what is pinned is large
  const [mina, , ada] = people;
  const widthOf = () => mina.ask((name) => {
    const tiles = [...document.querySelectorAll('[data-testid="tile"]')];
    const tile = tiles.find((one) => one.querySelector('.tile-text')?.textContent === name);
    return (tile?.clientWidth ?? 0) / Math.min(...tiles.map((one) => one.clientWidth));
  }, ada.name);
  await mina.page.click(`[data-member="${(await mina.tiles())[ada.name].member}"] .tile-pin`);
  await mina.seesTile(ada.name, { pinned: 'true' });
  await until('the pinned tile to be large', async () => await widthOf() > 1.5, { seen: widthOf });
  await mina.page.click(`[data-member="${(await mina.tiles())[ada.name].member}"] .tile-pin`);
  await until('it to be like all', async () => await widthOf() === 1, { seen: widthOf });
}, { 'rooms.topology': 'sfu' });

scenario('in a room that shows one, it is who speaks', async (stage) => {
  const people = await gather(stage, ['Mina', '박준호', 'Ada']);
  const [mina, junho, ada] = people;
  await speak(ada, true);
  await seesAlone(mina, [ada], [junho]);
  await seesAlone(junho, [ada], [mina]);
  await speak(ada, false);
  await speak(mina, true);
  await seesAlone(junho, [mina], [ada]);
  await seesAlone(ada, [mina], [junho]);
  // pinned, one is seen all the same
  await junho.page.click(`[data-member="${(await junho.tiles())[ada.name].member}"] .tile-pin`);
  await seesAlone(junho, [mina, ada], []);
  await seesAlone(ada, [mina], [junho]);
  await junho.hears([mina.name]);
  await ada.hears([mina.name]);
}, { 'rooms.topology': 'sfu', 'rooms.last_n': '1', 'rooms.loudest_n': '1' });

scenario('who speaks is seen and marked at another worker, too', async (stage) => {
  const people = await gather(stage, ['Mina', '박준호', 'Ada']);
  const [mina, junho, ada] = people; // with two of them at the room's worker
  await speak(ada, true);
  await marked(people, ada);
  await seesAlone(mina, [ada], [junho]);
  await mina.hears([ada.name]);
  await speak(ada, false);
  await speak(mina, true);
  await marked(people, mina);
  await seesAlone(ada, [mina], [junho]);
  await ada.hears([mina.name]);
}, {
  'rooms.topology': 'sfu', 'rooms.spread_from': '2', 'rooms.last_n': '1', 'rooms.loudest_n': '1',
});

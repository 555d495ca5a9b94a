/**
 * One meeting, from the first word to the server until one leaves: joins the signalling session,
 * the ways of media, one's own media and the view. Each of them knows nothing of the others.
 *
 * @typedef {import('./protocol.js').RoomEvent} RoomEvent
 * @typedef {import('./protocol.js').ChatEvent} ChatEvent
 * @typedef {import('./protocol.js').Welcome} Welcome
 * @typedef {import('./protocol.js').Member} Member
 * @typedef {import('./rtc/slots.js').Slot} Slot
 *
 * @typedef {object} MeetingOptions
 * @property {import('./media/local.js').LocalMedia} local
 * @property {string} name
 * @property {string} room
 * @property {string} token "" when there is none
 * @property {(view: HTMLElement) => void} entered
 * @property {(attempt: number) => void} waiting the server could not be reached so many times
 * @property {(code: string, message: string) => void} refused the end, for this reason
 * @property {() => void} left
 */

import { AudioOnly } from './audio-only.js';
import { t } from './i18n.js';
import { LevelMeter } from './media/level.js';
import { Roster } from './room.js';
import { StatsHistory } from './rtc/stats.js';
import { Ways } from './rtc/ways.js';
import { Why } from './rtc/why.js';
import { Session } from './signal/session.js';
import { Speakers } from './speakers.js';
import { deviceText } from './ui/lobby.js';
import { MeetingView } from './ui/meeting-view.js';
import { tileWords } from './ui/why-words.js';

const LOUD_MS = 150;
const STATS_MS = 1000;
const WEAK_S = 10; // a line that is too narrow for so long: sound alone may be better
const LOUD_REMOTE = 0.015; // audioLevel is linear: this is about -36 dB
const LOUD_SELF = 0.4;

/** @type {Record<string, import('./protocol.js').Verdict>} of pictures that are off */
const VERDICT_OF = { bandwidth: 'downlink', hidden: 'window' };

/** @type {Slot[]} */
const SLOTS = ['mic', 'camera', 'screen', 'screenAudio'];

/** @type {Partial<Record<RoomEvent['type'], import('./i18n.js').Key>>} */
const SAID = { 'member-joined': 'joined', 'member-away': 'away', 'member-back': 'back' };

function signallingUrl() {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/api/v1/meet`;
}

export class Meeting {
  #options;
  #roster = new Roster();
  #speakers = new Speakers();
  #stats = new StatsHistory();
  #hand = false;
  #name = ''; // as the server has it: a token may say another than was asked for
  #told = { audio: false, video: false, screen: false };
  /** @type {LevelMeter | null} */
  #level = null;
  #timers = [
    setInterval(() => this.#listen(), LOUD_MS),
    setInterval(() => this.#measure(), STATS_MS),
  ];
  #weakFor = 0; // seconds; -1: it was offered
  #entered = false;
  #over = false;
  /** @type {WakeLockSentinel | null} */
  #awake = null;

  /** @param {MeetingOptions} options */
  constructor(options) {
    this.#options = options;
    this.#name = options.name;
    const { local, room } = options;
    this.session = new Session(signallingUrl(), {
      state: (state, attempt) => this.#onState(state, attempt),
      welcome: (welcome, again) => this.#onWelcome(welcome, again),
      resumed: (resumed) => {
        this.ways.resume(resumed.iceServers);
        this.#tellMedia();
      },
      event: (event) => this.#onEvent(event),
      pictures: (state) => this.ways.sfu.told(state),
      wanted: (message) => this.ways.sfu.wanted(message),
      why: (answer) => this.why.told(answer),
      speakers: (message) => {
        this.#speakers.told(message, this.#roster.you);
        this.view.stage.setDominant(this.#speakers.dominant);
        this.#listen();
      },
      refused: (code, message) => {
        this.#finish();
        options.refused(code, message);
      },
      error: (error) => {
        this.ways.refused(error);
        if (error.re === 'chat') this.view.notices.say(t('errorOther', { message: error.message }));
      },
    });
    this.ways = new Ways(this.#roster.others, (command) => this.session.send(command),
      (member) => this.#draw(member));
    this.why = new Why((command) => this.session.mention(command));
    this.audioOnly = new AudioOnly(local, () => this.#showPictures());
    this.view = new MeetingView(room, local, this.audioOnly, {
      mic: () => this.toggle('mic'),
      camera: () => this.toggle('camera'),
      screen: () => local.setScreen(!local.flags.screen),
      hand: () => this.#raise(!this.#hand),
      audioOnly: () => this.audioOnly.set(!this.audioOnly.isOn),
      leave: () => this.leave(),
      chat: (text, to) => {
        this.session.send(to ? { type: 'chat', text, to } : { type: 'chat', text });
      },
      device: (kind) => kind === 'speaker' && this.view.stage.setSpeaker(local.speakerId),
    });
    this.view.stage.setSpeaker(local.speakerId);
  }

  start() {
    const { local, name, room, token } = this.#options;
    for (const slot of SLOTS) this.changed(slot);
    this.audioOnly.start();
    this.#showPictures();
    this.session.join(() => {
      this.#told = local.flags;
      return {
        room, name, ...(token && { token }), ...local.flags, topologies: ['mesh', 'sfu'],
      };
    });
  }

  /** @param {'mic' | 'camera'} kind */
  toggle(kind) {
    const { local } = this.#options;
    if (kind === 'mic') local.setMic(!local.flags.audio);
    else local.setCamera(!local.flags.video);
  }

  leave() {
    this.session.leave();
    this.#finish();
    this.#options.left();
  }

  /** The others' ids. */
  get members() {
    return [...this.#roster.others.keys()];
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    return this.view.key(event);
  }

  /** The machine woke up, or its network changed. */
  wake() {
    if (document.visibilityState === 'visible') this.#stayAwake();
    this.session.wake();
  }

  /** @param {boolean} online */
  network(online) {
    if (!this.#entered) return;
    if (!online) {
      this.view.notices.show('server', t('offline'));
    } else {
      this.view.notices.hide('server');
      this.session.wake();
      this.ways.mend();
    }
  }

  /**
   * One's own track in this slot is another one now.
   * @param {Slot} slot
   */
  changed(slot) {
    const { local } = this.#options;
    const before = this.#told;
    if (slot === 'camera') this.audioOnly.cameraChanged();
    this.ways.setTrack(slot, local.tracks[slot]);
    if (slot === 'mic') {
      this.#level?.close();
      this.#level = local.tracks.mic ? new LevelMeter(local.tracks.mic) : null;
    }
    const { audio, video, screen } = local.flags;
    this.view.toolbar.set('mic', audio);
    this.view.toolbar.set('camera', video);
    this.view.toolbar.set('screen', screen);
    this.view.setSharing(screen);
    if (!this.#entered) return;
    if (audio !== before.audio) this.view.notices.say(t(audio ? 'micNowOn' : 'micNowOff'), false);
    if (video !== before.video) {
      this.view.notices.say(t(video ? 'cameraNowOn' : 'cameraNowOff'), false);
    }
    this.#tellMedia();
    this.#drawSelf();
  }

  /**
   * @param {import('./media/problems.js').Device} device
   * @param {import('./media/problems.js').Reason} reason
   */
  problem(device, reason) {
    this.view.notices.show('device', deviceText(device, reason));
  }

  #tellMedia() {
    const { flags } = this.#options.local;
    const told = this.#told;
    const { audio, video, screen } = told;
    if (flags.audio === audio && flags.video === video && flags.screen === screen) return;
    this.#told = flags;
    this.session.send({ type: 'media', ...flags });
  }

  /**
   * @param {import('./signal/session.js').SessionState} state
   * @param {number} attempt
   */
  #onState(state, attempt) {
    if (!this.#entered) {
      if (state === 'joining' && attempt > 0) this.#options.waiting(attempt);
    } else if (state === 'reconnecting') {
      this.view.notices.show('server', t(navigator.onLine ? 'serverGone' : 'offline'));
    } else if (state === 'joined') {
      this.view.notices.hide('server');
    }
  }

  /**
   * @param {Welcome} welcome
   * @param {boolean} again
   */
  #onWelcome(welcome, again) {
    this.#roster.begin(welcome);
    this.#speakers.forget();
    this.view.stage.setDominant('');
    this.#name = welcome.name ?? this.#name;
    this.ways.begin(welcome);
    if (!this.#entered) {
      this.#entered = true;
      this.#options.entered(this.view.element);
      this.#stayAwake();
    }
    if (again) {
      this.view.chat.forgetPrivate();
      this.view.notices.say(t('serverRejoined'));
      if (this.#hand) queueMicrotask(() => this.session.send({ type: 'hand', raised: true }));
    }
    this.#drawAll();
    // A device may have changed between `join` and its answer.
    queueMicrotask(() => this.#tellMedia());
  }

  /** @param {RoomEvent} event */
  #onEvent(event) {
    const known = 'from' in event ? this.#roster.others.get(event.from) : null;
    const wasSharing = known?.screen ?? false;
    const member = this.#roster.apply(event);
    this.ways.handle(event);
    switch (event.type) {
      case 'chat':
        this.#onChat(event);
        return;
      case 'member-left':
        if (member) {
          const words = event.reason === 'lost' ? 'lost' : 'left';
          this.view.notices.say(t(words, { name: member.name }));
        }
        this.#drawAll();
        return;
      case 'member-joined':
        this.#drawAll();
        break;
      case 'media':
        if (wasSharing !== event.screen) this.#drawAll();
        if (!wasSharing && event.screen && member) {
          this.view.notices.say(t('shares', { name: member.name }));
        }
        break;
      case 'hand':
        if (event.raised && member) this.view.notices.say(t('raised', { name: member.name }));
        break;
      default: break;
    }
    const key = SAID[event.type];
    if (key && member) this.view.notices.say(t(key, { name: member.name }));
    if (member) this.#draw(member.id);
  }

  /** @param {ChatEvent} event */
  #onChat(event) {
    const own = event.from === this.#roster.you;
    const nameOf = (/** @type {string} */ id) => this.#roster.others.get(id)?.name ?? '…';
    let aside = '';
    if (event.to && own) aside = t('chatPrivateTo', { name: nameOf(event.to) });
    else if (event.to) aside = t('chatPrivateYou');
    this.view.chat.add({
      from: event.from, name: own ? this.#name : nameOf(event.from), own, text: event.text,
      to: event.to ?? '', aside,
    });
    if (own || this.view.panel === 'chat') return;
    this.view.unread();
    const short = event.text.length > 120 ? `${event.text.slice(0, 119)}…` : event.text;
    this.view.notices.say(`${nameOf(event.from)}: ${short}`);
  }

  /** @param {boolean} raised */
  #raise(raised) {
    this.#hand = raised;
    this.session.send({ type: 'hand', raised });
    this.view.toolbar.set('hand', raised);
    this.#drawSelf();
  }

  #drawAll() {
    const others = [...this.#roster.others.values()];
    this.view.stage.setMembers(this.#roster.you, others.map((member) => member.id),
      others.filter((member) => member.screen).map((member) => member.id));
    this.view.setCount(others.length + 1);
    this.view.chat.setMembers(others);
    this.#drawSelf();
    for (const member of others) this.#draw(member.id);
  }

  #drawSelf() {
    const { local } = this.#options;
    const name = this.#name;
    const tile = this.view.stage.self();
    const { audio, video } = local.flags;
    tile?.update({
      name, self: true, audio, video, hand: this.#hand, away: false, state: 'connected',
    });
    tile?.setMedia(local.tracks.camera, null);
  }

  /** @param {string} id */
  #draw(id) {
    const member = this.#roster.others.get(id);
    const tile = this.view.stage.person(id);
    if (!member || !tile) return;
    const { ways } = this;
    const state = ways.state(id);
    const isPoor = state === 'connected' && this.#stats.poor(ways.linkOf(id));
    const { isOn } = this.audioOnly;
    const isShown = member.video && !isOn;
    const picture = isShown && state === 'connected' ? this.#look(id) : undefined;
    const words = tileWords(picture);
    const isBad = isPoor || (words && picture?.verdict !== 'policy');
    tile.update({
      ...member, self: false, words, verdict: words ? picture?.verdict : '',
      state: words === 'tileHeld' ? 'held' : isBad ? 'poor' : state,
    });
    // Who is left out by the room has a face, and not the last picture that came.
    const isLeftOut = picture?.verdict === 'policy' && !picture.on;
    tile.setMedia(isShown && !isLeftOut ? ways.track(id, 'camera') : null, ways.track(id, 'mic'));
    this.view.stage.screen(id)?.update(member.name, isOn ? null : ways.track(id, 'screen'),
      ways.track(id, 'screenAudio'), isOn ? 'tileAudioOnly' : null);
  }

  /**
   * What the server says of the member's picture: whether it is on, at once; why, now and then.
   * @param {string} id
   * @returns {import('./ui/why-words.js').Picture | undefined}
   */
  #look(id) {
    if (this.ways.linkOf(id) !== '') return undefined;
    const off = this.ways.sfu.whyOff(id);
    if (off) return { verdict: VERDICT_OF[off] ?? 'policy', reason: off, on: false };
    const picture = this.why.of(this.ways.sfu.mid(id, 'camera'));
    return picture?.on ? picture : undefined;
  }

  /** Who speaks just now? */
  #listen() {
    const now = performance.now();
    for (const [id, { audio }] of this.#roster.others) {
      this.view.stage.person(id)?.setLoud(audio && this.#speaks(id), now);
    }
    const { audio } = this.#options.local.flags;
    this.view.stage.self()?.setLoud(audio && (this.#level?.level ?? 0) > LOUD_SELF, now);
  }

  /** The server knows better, where it hears the member. @param {string} id */
  #speaks(id) {
    const isHeard = this.#speakers.isTold && this.ways.linkOf(id) === '';
    return isHeard ? this.#speakers.speaks(id) : this.ways.level(id) > LOUD_REMOTE;
  }

  async #measure() {
    await this.#stats.collect(this.ways.links());
    if (this.#over) return;
    for (const id of this.#roster.others.keys()) this.#draw(id);
    this.#tellSizes();
    this.#askWhy();
    this.#offerAudioOnly();
    if (this.view.panel !== 'stats') return;
    const names = new Map(this.ways.links().map(({ id }) => [
      id, this.#roster.others.get(id)?.name ?? t('statsServer'),
    ]));
    const nameOf = (/** @type {string} */ id) => this.#roster.others.get(id)?.name ?? '…';
    this.view.stats.update(names, this.#stats.samples, this.why, nameOf);
  }

  /** How large pictures are shown; those that are not wanted: not at all. */
  #tellSizes() {
    const { isOn } = this.audioOnly;
    this.ways.sfu.show(this.view.stage.pictures().map((picture) => (
      isOn ? { ...picture, width: 0, height: 0 } : picture)));
  }

  /** Others' pictures are wanted, or not any more. */
  #showPictures() {
    const { isOn } = this.audioOnly;
    this.ways.mesh.setPictures(!isOn);
    this.view.setAudioOnly(isOn);
    if (isOn) this.view.notices.hide('line');
    for (const id of this.#roster.others.keys()) this.#draw(id);
    this.#tellSizes();
  }

  /** Offers it once, to somebody whose line is too narrow for pictures. */
  #offerAudioOnly() {
    if (this.#weakFor < 0 || this.audioOnly.isOn) return;
    this.#weakFor = this.why.answer?.receiving === 'downlink' ? this.#weakFor + 1 : 0;
    if (this.#weakFor < WEAK_S || !this.view.notices.banner.hidden) return;
    this.#weakFor = -1;
    this.view.notices.show('line', t('audioOnlyOffer'), {
      label: t('audioOnly'), run: () => this.audioOnly.set(true),
    });
  }

  #askWhy() {
    const { sfu } = this.ways;
    if (sfu.state !== 'connected') {
      this.why.forget();
      return;
    }
    const own = this.#stats.limits.get('');
    this.why.tick(performance.now(), this.view.panel === 'stats', {
      camera: own?.get(sfu.mid('', 'camera')), screen: own?.get(sfu.mid('', 'screen')),
    });
  }

  /** A phone must not darken its screen while one only listens. */
  async #stayAwake() {
    try {
      if (this.#awake && !this.#awake.released) return;
      this.#awake = await navigator.wakeLock?.request('screen') ?? null;
      if (this.#over) this.#awake?.release();
    } catch {
      // Not allowed now (hidden page, low battery): nothing that a person must know.
    }
  }

  #finish() {
    this.#over = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#level?.close();
    this.#awake?.release();
    this.ways.close();
    this.view.settings.element.close();
  }
}

/**
 * The lobby: who am I, which room, how do I look and sound. One may join with nothing at all.
 *
 * @typedef {import('../media/local.js').LocalMedia} LocalMedia
 * @typedef {import('../media/problems.js').Device} Device
 * @typedef {import('../media/problems.js').Reason} Reason
 * @typedef {import('../i18n.js').Key} Key
 *
 * @typedef {object} LobbyOptions
 * @property {LocalMedia} local
 * @property {string} name
 * @property {string} room
 * @property {(choice: { name: string, room: string }) => void} join
 * @property {() => void} cancel
 */

import { isKey, t } from '../i18n.js';
import { LevelMeter } from '../media/level.js';
import { isName, isRoom } from '../signal/limits.js';
import { DevicePickers } from './devices.js';
import { h, setTracks } from './dom.js';
import { icon, logo } from './icons.js';
import { initialsOf } from './tile.js';
import { shortcut } from './toolbar.js';

export class Lobby {
  #options;
  #pickers;
  #video = h('video', {
    autoplay: true, playsinline: true, muted: true, 'aria-label': t('preview'),
  });
  #idle = h('span', { class: 'preview-text' }, t('waitingForDevices'));
  #avatar = h('div', { class: 'avatar', 'data-hue': '2', 'aria-hidden': 'true' }, h('span'));
  #meter = h('div', {
    class: 'meter', role: 'meter', 'aria-label': t('micLevel'),
    'aria-valuemin': '0', 'aria-valuemax': '100',
    'data-testid': 'lobby-level',
  }, ...Array.from({ length: 5 }, () => h('i')));
  #mic = this.#toggle('mic', shortcut('D'));
  #cam = this.#toggle('camera', shortcut('E'));
  #problem = h('div', {
    class: 'note warning', role: 'alert', hidden: true, 'data-testid': 'lobby-problem',
  });
  #name;
  #room;
  #error = h('p', {
    class: 'field-error', role: 'alert', hidden: true, 'data-testid': 'lobby-error',
  });
  #submit = h('button', {
    class: 'button primary large', type: 'submit', 'data-testid': 'lobby-join',
  }, t('join'));
  #cancel = h('button', { class: 'button large', type: 'button', hidden: true }, t('cancel'));
  /** @type {LevelMeter | null} */
  #level = null;
  #timer = 0;
  /** @type {Map<Device, Reason>} */
  #problems = new Map();
  #ready = false;

  /** @param {LobbyOptions} options */
  constructor(options) {
    this.#options = options;
    this.#pickers = new DevicePickers(options.local, () => {});
    this.#name = h('input', {
      name: 'name', value: options.name, placeholder: t('namePlaceholder'), autocomplete: 'name',
      required: true, maxlength: '128', 'data-testid': 'lobby-name',
      input: () => this.#drawAvatar(),
    });
    this.#room = h('input', {
      name: 'room', value: options.room, required: true, maxlength: '128', autocomplete: 'off',
      autocapitalize: 'none', spellcheck: 'false', 'data-testid': 'lobby-room',
    });
    this.#cancel.addEventListener('click', () => options.cancel());
    this.#video.addEventListener('resize', () => this.#draw());
    this.element = this.#build();
    this.#draw();
    this.#timer = setInterval(() => this.#measure(), 80);
  }

  #build() {
    return h('div', { class: 'lobby' },
      h('header', { class: 'brand' }, logo(), h('h1', {}, 'moim'), h('p', {}, t('tagline'))),
      h('main', { class: 'lobby-main' },
        h('section', { class: 'preview-side' },
          h('div', { class: 'preview' }, this.#avatar, this.#video, this.#idle,
            h('div', { class: 'preview-bar' }, this.#mic, this.#cam, this.#meter)),
          this.#problem, this.#pickers.element),
        h('form', {
          class: 'card', novalidate: true,
          submit: (/** @type {Event} */ event) => this.#join(event),
        },
        h('h2', {}, t('readyTitle')),
        h('label', { class: 'field' }, h('span', {}, t('yourName')), this.#name),
        h('label', { class: 'field' }, h('span', {}, t('room')), this.#room),
        this.#error,
        h('div', { class: 'card-buttons' }, this.#submit, this.#cancel),
        h('p', { class: 'hint' }, t('joinHint')))));
  }

  /** Puts the cursor where something is still to be typed. */
  focus() {
    if (this.#name.value === '') this.#name.focus();
    else this.#submit.focus();
  }

  /** The first question about devices has been answered. */
  ready() {
    this.#ready = true;
    this.#pickers.refresh();
    this.#draw();
  }

  changed() {
    const { mic, camera } = this.#options.local.tracks;
    if (mic) this.#problems.delete('mic');
    if (camera) this.#problems.delete('camera');
    this.#level?.close();
    this.#level = mic ? new LevelMeter(mic) : null;
    this.#pickers.refresh();
    this.#draw();
  }

  /**
   * @param {Device} device
   * @param {Reason} reason
   */
  problem(device, reason) {
    this.#problems.set(device, reason);
    this.#draw();
  }

  /** @param {boolean} busy the server has been asked and has not answered yet */
  setJoining(busy) {
    this.#submit.disabled = busy;
    this.#submit.textContent = busy ? t('joining') : t('join');
    this.#cancel.hidden = !busy;
    if (busy) this.#error.hidden = true;
  }

  /**
   * @param {string} text '' takes the last one away
   * @param {'name' | 'room' | null} [at] the field that is to blame
   */
  error(text, at = null) {
    const fields = { name: this.#name, room: this.#room };
    for (const [name, field] of Object.entries(fields)) {
      field.setAttribute('aria-invalid', String(name === at));
    }
    fields[at ?? 'room'].closest('.field')?.after(this.#error);
    this.#error.textContent = text;
    this.#error.hidden = text === '';
    if (at) fields[at].focus();
  }

  close() {
    clearInterval(this.#timer);
    this.#level?.close();
    this.#video.srcObject = null;
    this.element.remove();
  }

  /** @param {'mic' | 'camera'} kind */
  toggle(kind) {
    const { local } = this.#options;
    if (kind === 'mic') local.setMic(!local.flags.audio);
    else local.setCamera(!local.flags.video);
  }

  /**
   * @param {'mic' | 'camera'} kind
   * @param {string} keys
   */
  #toggle(kind, keys) {
    return h('button', {
      class: 'round', type: 'button', 'aria-label': t(kind), title: `${t(kind)} (${keys})`,
      'data-testid': kind === 'mic' ? 'mic' : 'cam', click: () => this.toggle(kind),
    });
  }

  /** @param {Event} event */
  #join(event) {
    event.preventDefault();
    const name = this.#name.value.trim();
    const room = this.#room.value.trim();
    if (!isName(name)) {
      this.error(t(name === '' ? 'noName' : 'badName'), 'name');
    } else if (!isRoom(room)) {
      this.error(t('badRoom'), 'room');
    } else {
      this.error('');
      this.#options.join({ name, room });
    }
  }

  #draw() {
    const { local } = this.#options;
    const { audio, video } = local.flags;
    setTracks(this.#video, [local.tracks.camera]);
    this.#video.muted = true;
    this.#video.hidden = !video;
    this.#avatar.hidden = video || !this.#ready;
    this.#idle.hidden = this.#ready && !video ? false : this.#ready || video;
    this.#idle.textContent = this.#ready ? t('cameraIsOff') : t('waitingForDevices');
    this.#mic.setAttribute('aria-pressed', String(audio));
    this.#cam.setAttribute('aria-pressed', String(video));
    this.#mic.replaceChildren(icon(audio ? 'mic' : 'micOff'));
    this.#cam.replaceChildren(icon(video ? 'camera' : 'cameraOff'));
    this.#drawAvatar();
    this.#drawProblem();
  }

  #drawAvatar() {
    const [letters] = this.#avatar.children;
    letters.replaceChildren(initialsOf(this.#name?.value ?? '') || icon('person'));
  }

  #drawProblem() {
    const text = problemText(this.#problems);
    this.#problem.hidden = text === '';
    if (text === '' || this.#problem.dataset.text === text) return;
    this.#problem.dataset.text = text;
    const again = ![...this.#problems.values()].includes('insecure');
    this.#problem.replaceChildren(icon('warning'), h('p', {}, text));
    if (again) {
      this.#problem.append(h('button', {
        class: 'button small', type: 'button', click: () => this.#tryAgain(),
      }, t('tryAgain')));
    }
  }

  async #tryAgain() {
    const { local } = this.#options;
    const devices = [...this.#problems.keys()];
    this.#problems.clear();
    this.#problem.dataset.text = '';
    if (devices.length === 2) await local.openBoth();
    else if (devices.includes('mic')) await local.setMic(true);
    else await local.setCamera(true);
    this.#draw();
  }

  #measure() {
    const level = this.#options.local.flags.audio ? this.#level?.level ?? 0 : 0;
    this.#meter.setAttribute('aria-valuenow', String(Math.round(level * 100)));
    [...this.#meter.children].forEach((bar, i) => {
      bar.classList.toggle('lit', level > (i + 0.5) / 5.5);
    });
  }
}

/**
 * One sentence for what is wrong with the devices, '' when nothing is.
 * @param {Map<Device, Reason>} problems
 */
export function problemText(problems) {
  const mic = problems.get('mic');
  const camera = problems.get('camera');
  if (mic === 'insecure' || camera === 'insecure') return insecureText();
  if (mic && mic === camera && isKey(`both_${mic}`)) return t(/** @type {Key} */ (`both_${mic}`));
  const words = [...problems].map(([device, reason]) => deviceText(device, reason));
  return words.filter(Boolean).join(' ');
}

/**
 * @param {Device} device
 * @param {Reason} reason
 */
export function deviceText(device, reason) {
  if (reason === 'insecure') return insecureText();
  const key = `${device}_${reason}`;
  return t(/** @type {Key} */ (isKey(key) ? key : `${device}_unknown`));
}

function insecureText() {
  return t('insecure', { address: `https://${location.hostname}:8443${location.pathname}` });
}

/**
 * One tile of the stage: a person, or a screen that a person shares.
 *
 * @typedef {import('../protocol.js').Member} Member
 * @typedef {import('../layout.js').Box} Box
 *
 * @typedef {object} TileLook
 * @property {string} name
 * @property {boolean} self
 * @property {boolean} audio
 * @property {boolean} video
 * @property {boolean} hand
 * @property {boolean} away
 * @property {string} state connected, connecting, reconnecting, poor, held or failed
 * @property {string} [verdict] why its picture is not as good as it might be
 * @property {import('../i18n.js').Key | null} [words] what is to be said of the picture
 */

import { t } from '../i18n.js';
import { h, setAttribute, setTracks } from './dom.js';
import { icon } from './icons.js';

const HUES = 8;

/** @param {string} name */
export function initialsOf(name) {
  const words = name.trim().split(/\s+/);
  const first = [...words[0] ?? ''];
  // A Korean, Chinese or Japanese given name is known by its last two syllables.
  const isEastAsian = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/.test(first[0] ?? '');
  if (isEastAsian) return first.slice(-2).join('');
  const second = words.length > 1 ? [...words[words.length - 1]][0] : '';
  return ((first[0] ?? '') + second).toUpperCase();
}

/** @param {string} name */
function hueOf(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}

/** @type {Record<string, import('../i18n.js').Key>} */
const STATE_TEXT = {
  connecting: 'tileConnecting',
  reconnecting: 'tileReconnecting',
  poor: 'tilePoor',
  held: 'tileHeld',
  failed: 'tileFailed',
};

export class PersonTile {
  #video = h('video', { autoplay: true, playsinline: true, muted: true, 'aria-hidden': 'true' });
  #audio = h('audio', { autoplay: true });
  #avatar = h('div', { class: 'avatar', 'aria-hidden': 'true' }, h('span'));
  #muted = h('span', { class: 'tile-muted', hidden: true }, icon('micOff'));
  #name = h('span', { class: 'tile-text' });
  #hand = h('div', { class: 'tile-hand', hidden: true }, icon('hand'));
  #status = h('div', { class: 'tile-status', hidden: true });
  #pin;
  #loudAt = -Infinity;

  /**
   * @param {string} member
   * @param {boolean} self
   * @param {() => void} [pin] it is to be large, or not any more; none of oneself
   */
  constructor(member, self, pin) {
    this.#pin = pin ? h('button', {
      class: 'tile-pin', type: 'button', 'data-testid': 'pin', 'aria-pressed': 'false',
      'aria-label': t('pin'), title: t('pin'), click: pin,
    }, icon('pin')) : null;
    this.#video.muted = true; // sound comes from the audio element, which has its own output
    this.element = h('article', {
      class: `tile${self ? ' self' : ''}`, role: 'group', 'data-testid': 'tile',
      'data-member': member,
      'data-self': String(self), 'data-state': 'connecting',
    }, this.#avatar, this.#video, self ? null : this.#audio, this.#status, this.#hand, this.#pin,
    h('div', { class: 'tile-name' }, this.#muted, this.#name));
    const shown = () => this.element.classList.toggle('has-picture', this.#video.videoWidth > 0);
    this.#video.addEventListener('loadeddata', shown);
    this.#video.addEventListener('resize', shown);
    this.#video.addEventListener('emptied', () => this.element.classList.remove('has-picture'));
  }

  get audio() {
    return this.#audio;
  }

  /** @param {TileLook} look */
  update(look) {
    const { element } = this;
    element.dataset.state = look.state;
    element.dataset.away = String(look.away);
    element.dataset.video = String(look.video);
    element.dataset.audio = String(look.audio);
    element.dataset.hand = String(look.hand);
    element.dataset.verdict = look.verdict ?? '';
    this.#name.textContent = look.self ? t('youSuffix', { name: look.name }) : look.name;
    const [letters] = this.#avatar.children;
    letters.textContent = initialsOf(look.name);
    element.dataset.hue = String(hueOf(look.name));
    this.#muted.hidden = look.audio;
    this.#hand.hidden = !look.hand;
    const key = look.words ?? STATE_TEXT[look.state] ?? (look.away ? 'tileAway' : null);
    this.#status.hidden = key === null;
    this.#status.textContent = key ? t(key) : '';
    setAttribute(this.#status, 'title', look.state === 'failed' ? t('tileFailedMore') : null);
    element.setAttribute('aria-label', [
      this.#name.textContent,
      look.audio ? '' : t('muted'),
      look.video ? '' : t('cameraOffMark'),
      look.hand ? t('handRaised') : '',
      key ? t(key) : '',
    ].filter(Boolean).join(', '));
  }

  /**
   * @param {MediaStreamTrack | null} video null while the camera is off
   * @param {MediaStreamTrack | null} audio
   */
  setMedia(video, audio) {
    setTracks(this.#video, [video]);
    setTracks(this.#audio, [audio]);
    if (!video) this.element.classList.remove('has-picture');
  }

  /** @param {boolean} isPinned */
  setPinned(isPinned) {
    const words = t(isPinned ? 'unpin' : 'pin');
    this.element.dataset.pinned = String(isPinned);
    if (!this.#pin) return;
    this.#pin.setAttribute('aria-pressed', String(isPinned));
    this.#pin.setAttribute('aria-label', words);
    this.#pin.title = words;
  }

  /** @param {boolean} isDominant it holds the floor */
  setDominant(isDominant) {
    this.element.dataset.dominant = String(isDominant);
  }

  /**
   * @param {boolean} loud just now
   * @param {number} now milliseconds; the mark stays for a moment, for speech has gaps
   */
  setLoud(loud, now) {
    if (loud) this.#loudAt = now;
    const isSpeaking = now - this.#loudAt < 700;
    this.element.classList.toggle('speaking', isSpeaking);
    this.element.dataset.speaking = String(isSpeaking);
  }
}

export class ScreenTile {
  #video = h('video', { autoplay: true, playsinline: true });
  #status = h('div', { class: 'tile-status', hidden: true });
  #name = h('span', { class: 'tile-text' });

  /** @param {string} member */
  constructor(member) {
    this.element = h('article', {
      class: 'tile screen', role: 'group', 'data-testid': 'screen-tile', 'data-member': member,
    }, this.#video, this.#status,
    h('div', { class: 'tile-name' }, icon('screen'), this.#name));
  }

  get audio() {
    return this.#video;
  }

  /**
   * @param {string} name
   * @param {MediaStreamTrack | null} video
   * @param {MediaStreamTrack | null} audio
   * @param {import('../i18n.js').Key | null} words what is to be said of the picture
   */
  update(name, video, audio, words) {
    this.#name.textContent = t('screenOf', { name });
    this.#status.hidden = words === null;
    this.#status.textContent = words ? t(words) : '';
    this.element.setAttribute('aria-label', this.#name.textContent);
    setTracks(this.#video, [video, audio]);
  }
}

/**
 * @param {HTMLElement} element
 * @param {Box} box
 */
export function place(element, box) {
  element.style.width = `${Math.floor(box.width)}px`;
  element.style.height = `${Math.floor(box.height)}px`;
  element.style.transform = `translate(${Math.round(box.x)}px, ${Math.round(box.y)}px)`;
  element.classList.toggle('small', box.width < 190 || box.height < 130);
  element.classList.toggle('tiny', box.height < 95);
}

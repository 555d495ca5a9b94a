/**
 * What a meeting looks like: header, stage, side panel, bar of controls. It shows and asks; what is
 * to happen is decided in `meeting.js`.
 *
 * @typedef {import('./toolbar.js').ToggleName} ToggleName
 *
 * @typedef {object} Actions
 * @property {() => void} mic
 * @property {() => void} camera
 * @property {() => void} screen
 * @property {() => void} hand
 * @property {() => void} audioOnly the other way from now on
 * @property {() => void} leave
 * @property {(text: string, to: string) => void} chat
 * @property {(kind: import('./devices.js').Kind) => void} device
 */

import { t } from '../i18n.js';
import { Chat } from './chat.js';
import { copyText } from './copy.js';
import { h } from './dom.js';
import { icon, logo } from './icons.js';
import { Notices } from './notices.js';
import { Settings } from './settings.js';
import { Stage } from './stage.js';
import { StatsPanel } from './stats-panel.js';
import { Toolbar } from './toolbar.js';

/** @typedef {'' | 'chat' | 'stats'} PanelName */

export class MeetingView {
  /** @type {PanelName} */
  #open = '';
  #unread = 0;
  #actions;
  #count = h('span', { class: 'count' });
  #panelTitle = h('h2', {});
  #panelBody = h('div', { class: 'panel-body' });
  #panel = h('aside', { class: 'panel', hidden: true },
    h('header', {}, this.#panelTitle, h('button', {
      class: 'button quiet square', type: 'button', 'aria-label': t('close'),
      title: `${t('close')} (Esc)`,
      click: () => this.openPanel(''),
    }, icon('close'))), this.#panelBody);
  #sharing;
  #silence;
  #statsButton;
  notices = new Notices();
  stats = new StatsPanel();

  /**
   * @param {string} room
   * @param {import('../media/local.js').LocalMedia} local
   * @param {import('../audio-only.js').AudioOnly} audioOnly
   * @param {Actions} actions
   */
  constructor(room, local, audioOnly, actions) {
    this.#actions = actions;
    const copy = () => this.#copyLink();
    this.stage = new Stage(copy, () => this.#soundBlocked());
    this.chat = new Chat(actions.chat);
    this.settings = new Settings(local, actions.device, audioOnly);
    this.toolbar = new Toolbar({
      ...actions, chat: () => this.openPanel(this.#open === 'chat' ? '' : 'chat'),
    });
    this.#statsButton = this.#headerButton('stats', t('stats'), 'stats-toggle',
      () => this.openPanel(this.#open === 'stats' ? '' : 'stats'));
    this.#statsButton.setAttribute('aria-pressed', 'false');
    this.#sharing = h('div', { class: 'sharing', hidden: true },
      icon('screen'), h('span', {}, t('yourScreen')),
      h('button', { class: 'button small', type: 'button', click: actions.screen }, t('stop')));
    this.#silence = h('div', { class: 'sharing', hidden: true, 'data-testid': 'audio-only-bar' },
      icon('sound'), h('span', {}, t('audioOnlyIsOn')),
      h('button', {
        class: 'button small', type: 'button', 'data-testid': 'audio-only-back',
        click: () => audioOnly.set(false),
      }, t('audioOnlyBack')));
    const copyButton = this.#headerButton('link', t('copyLink'), 'copy-link', copy);
    copyButton.classList.add('wide');
    copyButton.append(h('span', {}, t('copyLink')));
    this.element = h('div', { class: 'meeting' },
      h('header', { class: 'meeting-head' }, logo(),
        h('h1', { title: room }, room), this.#count, h('div', { class: 'spring' }),
        copyButton, this.#statsButton,
        this.#headerButton('settings', t('settings'), 'settings-toggle', () => {
          this.settings.open();
        })),
      this.notices.banner,
      h('div', { class: 'meeting-body' },
        h('div', { class: 'stage-side' }, this.#silence, this.#sharing, this.stage.element,
          this.notices.element),
        this.#panel),
      h('footer', { class: 'meeting-foot' }, this.toolbar.element),
      this.settings.element);
    if (!local.canShare) this.toolbar.hide('screen');
  }

  /** @param {number} count people in the room, oneself included */
  setCount(count) {
    this.#count.textContent = t('peopleHere', { count });
  }

  /** @param {boolean} sharing */
  setSharing(sharing) {
    this.#sharing.hidden = !sharing;
  }

  /** @param {boolean} isOn */
  setAudioOnly(isOn) {
    this.#silence.hidden = !isOn;
    this.settings.settle();
  }

  get panel() {
    return this.#open;
  }

  /** @param {PanelName} name '' closes */
  openPanel(name) {
    const before = this.#open;
    this.#open = name;
    this.toolbar.set('chat', name === 'chat');
    this.#statsButton.setAttribute('aria-pressed', String(name === 'stats'));
    this.#panel.hidden = name === '';
    this.element.classList.toggle('with-panel', name !== '');
    if (name === 'chat') {
      this.#fill(t('chat'), this.chat.element);
      this.#unread = 0;
      this.toolbar.setUnread(0);
      this.chat.focus();
    } else if (name === 'stats') {
      this.#fill(t('stats'), this.stats.element);
      this.#panel.focus();
    } else if (before === 'chat') {
      this.toolbar.button('chat')?.focus();
    } else if (before === 'stats') {
      this.#statsButton.focus();
    }
  }

  /** Something was written while the chat is closed. */
  unread() {
    this.#unread += 1;
    this.toolbar.setUnread(this.#unread);
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was ours
   */
  key(event) {
    if (this.settings.element.open) return false;
    if (event.key === 'Escape' && this.#open && !event.isComposing) {
      this.openPanel('');
      return true;
    }
    if (!event.altKey || event.ctrlKey || event.metaKey) return false;
    if (event.code === 'KeyH') this.#actions.hand();
    else if (event.code === 'KeyA') this.#actions.audioOnly();
    else if (event.code === 'KeyC') this.openPanel(this.#open === 'chat' ? '' : 'chat');
    else return false;
    return true;
  }

  /**
   * @param {string} title
   * @param {HTMLElement} body
   */
  #fill(title, body) {
    this.#panelTitle.textContent = title;
    this.#panel.setAttribute('aria-label', title);
    this.#panel.tabIndex = -1;
    this.#panelBody.replaceChildren(body);
  }

  /**
   * @param {import('./icons.js').IconName} name
   * @param {string} label
   * @param {string} testid
   * @param {() => void} click
   */
  #headerButton(name, label, testid, click) {
    return h('button', {
      class: 'button quiet', type: 'button', 'aria-label': label, title: label,
      'data-testid': testid, click,
    }, icon(name));
  }

  async #copyLink() {
    if (await copyText(location.href)) this.notices.say(t('linkCopied'));
  }

  #soundBlocked() {
    this.notices.show('sound', t('tapToHear'), {
      label: t('tapToHearButton'), run: () => this.stage.playAll(),
    });
  }
}

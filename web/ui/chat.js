/**
 * The chat: what was said, in the order of the room, and a field to say more.
 *
 * @typedef {import('../protocol.js').Member} Member
 */

import { language, t } from '../i18n.js';
import { byteLength, CHAT_BYTES_MAX } from '../signal/limits.js';
import { h } from './dom.js';
import { icon } from './icons.js';

const SHOWN_MAX = 1000; // the oldest lines go, or a long meeting fills the memory
const GROUP_MS = 120000;

const clock = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' });

/**
 * The text with its web addresses as links.
 * @param {string} text
 * @returns {Node}
 */
function linked(text) {
  const fragment = document.createDocumentFragment();
  for (const part of text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'])/)) {
    fragment.append(/^https?:\/\//.test(part)
      ? h('a', { href: part, target: '_blank', rel: 'noopener noreferrer' }, part)
      : part);
  }
  return fragment;
}

export class Chat {
  #send;
  #log = h('ol', {
    class: 'chat-log', role: 'log', 'aria-live': 'polite', 'aria-label': t('chat'), tabindex: '0',
    'data-testid': 'chat-log',
  });
  #empty = h('p', { class: 'panel-empty' }, t('chatEmpty'));
  #to = h('select', { 'aria-label': t('chatTo'), 'data-testid': 'chat-to' });
  #input = h('textarea', {
    rows: '1', placeholder: t('chatPlaceholder'), 'aria-label': t('chatPlaceholder'),
    'data-testid': 'chat-input', enterkeyhint: 'send',
    keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
    input: () => this.#grow(),
  });
  #note = h('p', { class: 'field-error', role: 'alert', hidden: true });
  /** Said, not yet echoed by the server.
   * @type {{ text: string, to: string, line: HTMLElement }[]} */
  #waiting = [];
  #last = { from: '', at: 0, aside: '' };

  /** @param {(text: string, to: string) => void} send `to` is '' for everyone */
  constructor(send) {
    this.#send = send;
    this.#to.append(h('option', { value: '' }, t('chatEveryone')));
    this.element = h('div', { class: 'chat' },
      this.#empty, this.#log,
      h('form', { class: 'chat-form', submit: (/** @type {Event} */ event) => this.#submit(event) },
        h('label', { class: 'chat-to' }, h('span', {}, t('chatTo')), this.#to),
        this.#note,
        h('div', { class: 'chat-write' }, this.#input,
          h('button', {
            class: 'button primary square', type: 'submit', 'aria-label': t('chatSend'),
            'data-testid': 'chat-send',
          }, icon('send')))));
  }

  focus() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#input.focus();
  }

  /** @param {Iterable<Member>} members whom a private message may go to */
  setMembers(members) {
    const chosen = this.#to.value;
    const options = [...members].map((member) => h('option', { value: member.id }, member.name));
    this.#to.replaceChildren(h('option', { value: '' }, t('chatEveryone')), ...options);
    // If that person left, stay with nobody chosen: what was meant for one must not go to all.
    const gone = chosen && !options.some((option) => option.value === chosen);
    if (gone) this.#to.selectedIndex = -1;
    else this.#to.value = chosen;
  }

  /**
   * Somebody said something, perhaps oneself.
   * @param {{ from: string, name: string, own: boolean, text: string, to: string,
   *   aside: string }} said
   *     `aside` tells whom it is for when it is not for everyone
   */
  add(said) {
    if (said.own) {
      const i = this.#waiting.findIndex((one) => one.text === said.text && one.to === said.to);
      if (i >= 0) this.#waiting.splice(i, 1)[0].line.remove();
    }
    const low = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80;
    this.#log.append(this.#line(said, Date.now()));
    for (const { line } of this.#waiting) this.#log.append(line);
    while (this.#log.childElementCount > SHOWN_MAX) this.#log.firstElementChild?.remove();
    this.#empty.hidden = true;
    if (low || said.own) this.#log.scrollTop = this.#log.scrollHeight;
  }

  /**
   * @param {{ from: string, name: string, own: boolean, text: string, aside: string }} said
   * @param {number} at
   */
  #line(said, at) {
    const { from, aside } = this.#last;
    const follows = from === said.from && aside === said.aside && at - this.#last.at < GROUP_MS;
    this.#last = { from: said.from, at, aside: said.aside };
    const whose = `${said.own ? ' own' : ''}${said.aside ? ' private' : ''}`;
    const kind = `chat-line${whose}${follows ? ' follows' : ''}`;
    return h('li', { class: kind },
      !follows && h('div', { class: 'chat-who' },
        h('strong', {}, said.own ? t('you') : said.name),
        said.aside ? h('em', {}, said.aside) : null,
        h('time', {}, clock.format(at))),
      h('p', { dir: 'auto' }, linked(said.text)));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While Hangul is being composed, Enter belongs to the input method.
    const isComposing = event.isComposing || event.keyCode === 229;
    if (event.key !== 'Enter' || event.shiftKey || isComposing) return;
    event.preventDefault();
    this.#input.form?.requestSubmit();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = this.#input.value.trim();
    if (text === '' || this.#to.selectedIndex < 0) return;
    const tooLong = byteLength(text) > CHAT_BYTES_MAX;
    this.#note.hidden = !tooLong;
    this.#note.textContent = tooLong ? t('chatTooLong') : '';
    if (tooLong) return;
    const line = h('li', { class: 'chat-line own waiting' },
      h('p', { dir: 'auto' }, text), h('small', {}, t('chatWaiting')));
    this.#waiting.push({ text, to: this.#to.value, line });
    this.#log.append(line);
    this.#empty.hidden = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#input.value = '';
    this.#grow();
    this.#send(text, this.#to.value);
  }

  #grow() {
    this.#input.style.height = 'auto';
    this.#input.style.height = `${Math.min(this.#input.scrollHeight + 2, 140)}px`;
  }

  /** The place in the room was lost: private words to members who are new now will not come
   * back. */
  forgetPrivate() {
    this.#waiting = this.#waiting.filter((one) => {
      if (one.to) one.line.classList.add('undelivered');
      return !one.to;
    });
  }
}

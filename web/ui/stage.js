/** The stage: all tiles, laid out anew whenever the room or the window changes. */

import { gridBoxes, stageBoxes } from '../layout.js';
import { t } from '../i18n.js';
import { h } from './dom.js';
import { icon } from './icons.js';
import { PersonTile, ScreenTile, place } from './tile.js';

const SELF = '';
const STEP = 16; // pixels: a window that changes by less is the same
const FITS = 170; // wide, a tile of an equal share: below that the one who speaks has a large one
const UNSEEN = { width: 160, height: 90 }; // so that something is there when one looks again

export class Stage {
  /** @type {Map<string, PersonTile>} by member id; oneself under '' */
  #people = new Map();
  /** @type {Map<string, ScreenTile>} */
  #screens = new Map();
  #invite;
  #speaker = '';
  #dominant = ''; // who speaks; '': nobody, or no tile of the others
  #pinned = '';
  #onBlocked;
  element = h('main', { class: 'stage', 'aria-label': t('participants'), tabindex: '-1' });

  /**
   * @param {() => void} copyLink
   * @param {() => void} onBlocked the browser does not let a tile make a sound yet
   */
  constructor(copyLink, onBlocked) {
    this.#onBlocked = onBlocked;
    this.#invite = h('section', { class: 'tile invite', 'data-testid': 'invite' },
      h('div', {},
        h('h2', {}, t('aloneTitle')), h('p', {}, t('aloneText')),
        h('button', {
          class: 'button primary', type: 'button', 'data-testid': 'invite-copy', click: copyLink,
        },
          icon('link'), t('copyLink'))));
    new ResizeObserver(() => this.layout()).observe(this.element);
  }

  /**
   * The tiles that are to be there, in their order.
   * @param {string} you
   * @param {string[]} others
   * @param {string[]} sharing members whose screens are shown
   */
  setMembers(you, others, sharing) {
    const wanted = new Set([SELF, ...others]);
    for (const [id, tile] of this.#people) if (!wanted.has(id)) this.#drop(this.#people, id, tile);
    for (const [id, tile] of this.#screens) {
      if (!sharing.includes(id)) this.#drop(this.#screens, id, tile);
    }
    for (const id of others) {
      if (this.#people.has(id)) continue;
      this.#add(this.#people, id, new PersonTile(id, false, () => this.#pin(id)));
    }
    for (const id of sharing) {
      if (!this.#screens.has(id)) this.#add(this.#screens, id, new ScreenTile(id));
    }
    if (!this.#people.has(SELF)) this.#add(this.#people, SELF, new PersonTile(you, true));
    const self = this.#people.get(SELF);
    if (self) self.element.dataset.member = you;
    if (others.length === 0) this.element.append(this.#invite);
    else this.#invite.remove();
    this.layout();
  }

  self() {
    return this.#people.get(SELF);
  }

  /** @param {string} id */
  person(id) {
    return this.#people.get(id);
  }

  /** @param {string} id */
  screen(id) {
    return this.#screens.get(id);
  }

  /** Who speaks has the large tile, where there are more than fit. @param {string} id */
  setDominant(id) {
    if (this.#dominant === id) return;
    this.#people.get(this.#dominant)?.setDominant(false);
    this.#dominant = id;
    this.#people.get(id)?.setDominant(true);
    this.layout();
  }

  /** Who is pinned has it at any time. @param {string} id */
  #pin(id) {
    this.#people.get(this.#pinned)?.setPinned(false);
    this.#pinned = this.#pinned === id ? '' : id;
    this.#people.get(this.#pinned)?.setPinned(true);
    this.layout();
  }

  /** How large each picture is shown, in pixels of the screen; small ones where nobody looks. */
  pictures() {
    /** @type {{ member: string, slot: 'camera' | 'screen', width: number, height: number,
     *   priority: number }[]} */
    const pictures = [];
    const isSeen = document.visibilityState === 'visible';
    const size = (/** @type {number} */ length) => (
      Math.ceil(length * devicePixelRatio / STEP) * STEP);
    const add = (/** @type {string} */ member, /** @type {'camera' | 'screen'} */ slot,
      /** @type {HTMLElement} */ { offsetWidth, offsetHeight }) => {
      pictures.push({
        member,
        slot,
        width: isSeen ? size(offsetWidth) : UNSEEN.width,
        height: isSeen ? size(offsetHeight) : UNSEEN.height,
        priority: member === this.#pinned ? 2 : Number(member === this.#dominant),
      });
    };
    for (const [id, { element }] of this.#people) if (id !== SELF) add(id, 'camera', element);
    for (const [id, { element }] of this.#screens) add(id, 'screen', element);
    return pictures;
  }

  /** @param {string} deviceId the loudspeaker; '' is the system's */
  setSpeaker(deviceId) {
    this.#speaker = deviceId;
    const tiles = [...this.#people.values(), ...this.#screens.values()];
    for (const tile of tiles) this.#route(tile.audio);
  }

  /** After a gesture of the person: what was held back may sound now. */
  playAll() {
    for (const tile of [...this.#people.values(), ...this.#screens.values()]) {
      tile.audio.play().catch(() => {});
    }
  }

  layout() {
    const { clientWidth, clientHeight } = this.element;
    const style = getComputedStyle(this.element);
    const pad = parseFloat(style.paddingLeft) || 0;
    const gap = parseFloat(style.getPropertyValue('--gap')) || 8;
    const width = clientWidth - 2 * pad;
    const height = clientHeight - 2 * pad;
    const large = this.#large(width, height, gap);
    const others = [...this.#people.keys()].filter((id) => id !== SELF && id !== large);
    const tiles = [...others, SELF].map((id) => this.#people.get(id)?.element);
    if (this.#invite.isConnected) tiles.push(this.#invite);
    const largest = [...this.#screens.values(), ...(large ? [this.#people.get(large)] : [])];
    const boxes = stageBoxes(width, height, largest.length, tiles.length, gap);
    tiles.forEach((element, i) => element && boxes.people[i] && place(element, boxes.people[i]));
    largest.forEach((tile, i) => tile && place(tile.element, boxes.screens[i]));
  }

  /**
   * Whose tile is a large one; '' is nobody's.
   * @param {number} width
   * @param {number} height
   * @param {number} gap
   */
  #large(width, height, gap) {
    if (this.#pinned) return this.#pinned;
    if (!this.#dominant || !this.#people.has(this.#dominant) || this.#screens.size > 0) return '';
    const [box] = gridBoxes(width, height, this.#people.size, gap);
    return box && box.width < FITS ? this.#dominant : '';
  }

  /**
   * @template {PersonTile | ScreenTile} T
   * @param {Map<string, T>} tiles
   * @param {string} id
   * @param {T} tile
   */
  #add(tiles, id, tile) {
    tiles.set(id, tile);
    this.#route(tile.audio);
    tile.audio.addEventListener('loadedmetadata', () => {
      tile.audio.play().catch((error) => {
        if (error.name === 'NotAllowedError') this.#onBlocked();
      });
    });
    // Reading order is tile order: oneself stays last.
    const self = this.#people.get(SELF)?.element;
    if (self && self !== tile.element && self.isConnected) self.before(tile.element);
    else this.element.append(tile.element);
  }

  /**
   * @template {PersonTile | ScreenTile} T
   * @param {Map<string, T>} tiles
   * @param {string} id
   * @param {T} tile
   */
  #drop(tiles, id, tile) {
    tiles.delete(id);
    if (id === this.#pinned && tile instanceof PersonTile) this.#pinned = '';
    if (id === this.#dominant && tile instanceof PersonTile) this.#dominant = '';
    tile.audio.srcObject = null;
    tile.element.remove();
  }

  /** @param {HTMLMediaElement} element */
  #route(element) {
    if (this.#speaker || 'sinkId' in element && element.sinkId) {
      element.setSinkId?.(this.#speaker).catch(() => {});
    }
  }
}

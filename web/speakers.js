/**
 * Who speaks, as the server says. No DOM, no media.
 *
 * @typedef {import('./protocol.js').SpeakersMessage} SpeakersMessage
 */

export class Speakers {
  /** Who holds the floor, of the others: one wants to see those, not oneself. '' is nobody. */
  dominant = '';
  /** Whether the server says it at all. */
  isTold = false;
  /** @type {Set<string>} */
  #speaking = new Set();

  /**
   * @param {SpeakersMessage} message
   * @param {string} you
   */
  told({ dominant = '', speaking }, you) {
    this.isTold = true;
    this.#speaking = new Set(speaking.map(({ member }) => member));
    if (dominant !== you) this.dominant = dominant;
  }

  /** The place in the room is another one. */
  forget() {
    this.dominant = '';
    this.isTold = false;
    this.#speaking.clear();
  }

  /** @param {string} member */
  speaks(member) {
    return this.#speaking.has(member);
  }
}

/**
 * The client's half of "Numbers both ways" (docs/PROTOCOL.md): what was sent is kept until the
 * server says that it was received, so that a broken connection loses nothing and doubles nothing.
 * It knows no socket and no clock.
 *
 * @typedef {import('../protocol.js').RoomCommand} RoomCommand
 * @typedef {import('../protocol.js').Numbered} Numbered
 */

/** More than this waiting means that the server has not listened for very long. */
export const OUTBOX_MAX = 2048;

export class Outbox {
  #last = 0;
  /** @type {{ message: Numbered, sent: boolean }[]} */
  #kept = [];

  /** How many messages still wait for their acknowledgement. */
  get size() {
    return this.#kept.length;
  }

  get full() {
    return this.#kept.length >= OUTBOX_MAX;
  }

  /**
   * Gives the message its number and keeps it.
   * @param {RoomCommand} command
   * @returns {Numbered}
   */
  push(command) {
    this.#last += 1;
    const message = /** @type {Numbered} */ ({ ...command, id: this.#last });
    this.#kept.push({ message, sent: false });
    return message;
  }

  /**
   * Says that the message was written to a connection (which is not yet "received").
   * @param {Numbered} message
   */
  markSent(message) {
    const entry = this.#kept.find((kept) => kept.message === message);
    if (entry) entry.sent = true;
  }

  /**
   * Everything up to this number has been received: forget it.
   * @param {number} id
   */
  acknowledge(id) {
    const first = this.#kept.findIndex((kept) => kept.message.id > id);
    this.#kept = first < 0 ? [] : this.#kept.slice(first);
  }

  /** What is to be said again on a new connection, in order and with the same numbers. */
  waiting() {
    return this.#kept.map((kept) => kept.message);
  }

  /** What was never written to any connection: safe to say in a new session too. */
  neverSent() {
    return this.#kept.filter((kept) => !kept.sent).map((kept) => kept.message);
  }

  /** A new session begins to count anew. */
  reset() {
    this.#last = 0;
    this.#kept = [];
  }
}

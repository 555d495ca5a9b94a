/**
 * Who is in the room, as the events tell it. No DOM, no media: a reader of events that the meeting
 * asks when it draws.
 *
 * @typedef {import('./protocol.js').Member} Member
 * @typedef {import('./protocol.js').Welcome} Welcome
 * @typedef {import('./protocol.js').RoomEvent} RoomEvent
 */

export class Roster {
  you = '';
  /** @type {Map<string, Member>} in the order in which they came, without oneself */
  others = new Map();

  /** @param {Welcome} welcome */
  begin(welcome) {
    this.you = welcome.you;
    this.others.clear();
    for (const member of welcome.members) this.others.set(member.id, { ...member });
  }

  /**
   * Takes an event in and returns the member whom it is about, as it was when it left if it left;
   * null when it is about oneself or nobody known.
   * @param {RoomEvent} event
   * @returns {Member | null}
   */
  apply(event) {
    if (event.type === 'member-joined') {
      if (event.member.id === this.you) return null;
      this.others.set(event.member.id, { ...event.member });
      return event.member;
    }
    const id = 'member' in event ? event.member : 'from' in event ? event.from : '';
    const member = this.others.get(id) ?? null;
    if (!member) return null;
    switch (event.type) {
      case 'member-left': this.others.delete(member.id); break;
      case 'member-away': member.away = true; break;
      case 'member-back': member.away = false; break;
      case 'hand': member.hand = event.raised; break;
      case 'media':
        member.audio = event.audio;
        member.video = event.video;
        member.screen = event.screen;
        break;
      default: break;
    }
    return member;
  }
}

/** The limits of docs/PROTOCOL.md that the page checks before the server has to. */

export const NAME_BYTES_MAX = 128;
export const ROOM_BYTES_MAX = 128;
export const CHAT_BYTES_MAX = 8000;

const encoder = new TextEncoder();

/** @param {string} text */
export function byteLength(text) {
  return encoder.encode(text).length;
}

/** @param {string} text */
function hasControl(text) {
  return /[\u0000-\u001f\u007f]/.test(text);
}

/** @param {string} name */
export function isName(name) {
  const trimmed = name.trim();
  return trimmed !== '' && byteLength(trimmed) <= NAME_BYTES_MAX && !hasControl(trimmed);
}

/** @param {string} room */
export function isRoom(room) {
  const trimmed = room.trim();
  if (trimmed === '' || trimmed.includes('/') || hasControl(trimmed)) return false;
  return byteLength(trimmed) <= ROOM_BYTES_MAX;
}

/**
 * The room that a path names, or "" when it names none.
 * @param {string} path such as "/r/daily%20standup"
 */
export function roomOfPath(path) {
  const match = /^\/r\/([^/]+)\/?$/.exec(path);
  if (!match) return '';
  try {
    const room = decodeURIComponent(match[1]).trim();
    return isRoom(room) ? room : '';
  } catch {
    return ''; // a percent sign that begins no escape
  }
}

/**
 * The token that an address takes along: behind '#', where no server and no log sees it, or in the
 * query; "" when there is none.
 * @param {string} search such as "?token=eyJ..."
 * @param {string} hash such as "#token=eyJ..."
 */
export function tokenOfAddress(search, hash) {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token')
    || new URLSearchParams(search).get('token') || '';
}

/** @param {string} room */
export function pathOfRoom(room) {
  return `/r/${encodeURIComponent(room)}`;
}

/**
 * The order of member ids: "m2" < "m10".
 * @param {string} id
 */
export function memberNumber(id) {
  return Number(id.replace(/\D+/g, '')) || 0;
}

/**
 * Of two members, the one with the greater number gives way when offers collide.
 * @param {string} me
 * @param {string} other
 */
export function isPolite(me, other) {
  return memberNumber(me) > memberNumber(other);
}

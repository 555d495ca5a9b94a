/**
 * The meeting page: lobby, meeting, "you left", and the way between them.
 *
 * `/` makes a new room, `/r/{room}` goes into one; `?name=Mina` fills the name in (a link from a
 * calendar), and `#token=eyJ...` is shown to a server that asks for one. Nothing in an address
 * joins by itself: a link must not turn a camera on.
 *
 * For tests and for the curious, `window.moim` shows the session, the ways of media and, by member
 * id, the RTCPeerConnection. It is read-only.
 *
 * @typedef {import('./media/problems.js').Device} Device
 * @typedef {import('./media/problems.js').Reason} Reason
 */

import { language, t } from './i18n.js';
import { LocalMedia } from './media/local.js';
import { Meeting } from './meeting.js';
import { recall, recallToken, remember, rememberToken } from './remember.js';
import { roomName } from './room-name.js';
import { pathOfRoom, roomOfPath, tokenOfAddress } from './signal/limits.js';
import { leftPage } from './ui/left.js';
import { Lobby } from './ui/lobby.js';

const app = /** @type {HTMLElement} */ (document.getElementById('app'));

/** The address is soon without it: who copies that gives no token away. */
const token = tokenOfAddress(location.search, location.hash) || recallToken();
if (token) rememberToken(token);

/** @type {Lobby | null} */
let lobby = null;
/** @type {Meeting | null} */
let meeting = null;

const local = new LocalMedia({
  changed: (slot) => {
    lobby?.changed();
    meeting?.changed(slot);
  },
  problem: (device, reason) => {
    if (lobby) lobby.problem(device, reason);
    else meeting?.problem(device, reason);
  },
});

/** @type {Record<string, import('./i18n.js').Key>} */
const REFUSALS = {
  'name-taken': 'errorNameTaken',
  'room-full': 'errorRoomFull',
  'server-full': 'errorServerFull',
  'bad-name': 'badName',
  'bad-room': 'badRoom',
  'token-missing': 'errorTokenMissing',
  'token-bad': 'errorTokenBad',
  'token-early': 'errorTokenEarly',
  'token-expired': 'errorTokenExpired',
  'not-allowed': 'errorNotAllowed',
  replaced: 'errorReplaced',
};

/**
 * Where in the lobby a refusal can be mended.
 * @type {Record<string, 'name' | 'room'>}
 */
const FIELDS = {
  'name-taken': 'name', 'bad-name': 'name', 'bad-room': 'room', 'room-full': 'room',
  'not-allowed': 'room',
};

/**
 * @param {string} code
 * @param {string} message
 */
function refusalText(code, message) {
  return REFUSALS[code] ? t(REFUSALS[code]) : t('errorOther', { message: message || code });
}

/** @param {{ room: string, name: string, error?: string }} given */
async function showLobby({ room, name, error }) {
  lobby?.close();
  const shown = new Lobby({
    local,
    room: room || roomName(),
    name,
    join: (choice) => join(choice),
    cancel: () => {
      meeting?.session.leave();
      meeting = null;
      shown.setJoining(false);
      shown.error('');
    },
  });
  lobby = shown;
  app.replaceChildren(shown.element);
  document.title = 'moim';
  shown.focus();
  if (error) shown.error(error);
  if (!local.tracks.mic && !local.tracks.camera) await local.openBoth();
  shown.changed();
  shown.ready();
}

/** @param {{ name: string, room: string }} choice */
function join({ name, room }) {
  remember('name', name);
  lobby?.setJoining(true);
  const entering = new Meeting({
    local,
    name,
    room,
    token,
    entered: (view) => {
      history.replaceState(null, '', pathOfRoom(room));
      document.title = `${room} · moim`;
      lobby?.close();
      lobby = null;
      app.replaceChildren(view);
    },
    waiting: () => lobby?.error(t('serverUnreachable')),
    refused: (code, message) => {
      if (meeting !== entering) return;
      meeting = null;
      const error = refusalText(code, message);
      if (lobby) {
        lobby.setJoining(false);
        lobby.error(error, FIELDS[code]);
      } else if (code === 'replaced') {
        showLeft({ name, room, title: t('endedTitle'), text: error });
      } else {
        showLobby({ room, name, error });
      }
    },
    left: () => {
      meeting = null;
      showLeft({ name, room, title: t('leftTitle'), text: t('leftText', { room }) });
    },
  });
  meeting = entering;
  entering.start();
}

/** @param {{ name: string, room: string, title: string, text: string }} past */
function showLeft({ name, room, title, text }) {
  const { audio, video } = local.flags;
  local.close();
  const page = leftPage({
    title,
    text,
    rejoin: async () => {
      if (audio) await local.setMic(true);
      if (video) await local.setCamera(true);
      join({ name, room });
    },
    start: () => {
      history.replaceState(null, '', '/');
      showLobby({ room: '', name });
    },
  });
  app.replaceChildren(page.element);
  document.title = 'moim';
  page.focus();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  const device = event.code === 'KeyD' ? 'mic' : event.code === 'KeyE' ? 'camera' : null;
  if (command && device && (meeting || lobby)) {
    // Otherwise the browser would set a bookmark or go to its search field.
    event.preventDefault();
    if (event.repeat) return;
    if (lobby) lobby.toggle(device);
    else meeting?.toggle(device);
  } else if (meeting && !lobby && meeting.key(event)) {
    event.preventDefault();
  }
}

addEventListener('keydown', onKey);
addEventListener('online', () => meeting?.network(true));
addEventListener('offline', () => meeting?.network(false));
addEventListener('pagehide', () => meeting?.session.leave());
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload(); // the meeting was left when the page went away
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') meeting?.wake();
});

Object.defineProperty(window, 'moim', {
  value: Object.freeze({
    version: 1,
    get session() { return meeting?.session ?? null; },
    get ways() { return meeting?.ways ?? null; },
    get members() { return meeting?.members ?? []; },
    /** @param {string} member */
    connection: (member) => meeting?.ways.connection(member) ?? null,
  }),
});

document.documentElement.lang = language;
showLobby({
  room: roomOfPath(location.pathname),
  name: new URLSearchParams(location.search).get('name')?.trim() || recall('name'),
});

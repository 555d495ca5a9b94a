/**
 * Many members in one page, without the page's looks: each with a WebSocket and an
 * RTCPeerConnection to the server of its own. They run in a `Person`'s page, which has to be open.
 *
 * @typedef {object} Wish
 * @property {string} room
 * @property {number} count
 * @property {number} slots of each kind
 * @property {boolean} [publishes] a drawing that moves, and the made-up microphone
 *
 * @typedef {object} Seen by one of them
 * @property {string} name
 * @property {string[]} errors
 * @property {{ member: string, source: string, frames: number, energy: number }[]} tracks
 */

/**
 * They come, all at once.
 * @param {import('./person.js').Person} person
 * @param {Wish} wish
 */
export function come(person, wish) {
  return person.ask(comeAll, wish);
}

/**
 * What each of them has been told of, and what has come of it.
 * @param {import('./person.js').Person} person
 * @returns {Promise<Seen[]>}
 */
export function lookAround(person) {
  return person.ask(lookAtAll);
}

/** @param {Wish} wish */
async function comeAll({ room, count, slots, publishes }) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [160, 90];
  const paper = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  let hue = 0;
  setInterval(() => {
    hue = (hue + 15) % 360;
    paper.fillStyle = `hsl(${hue} 80% 50%)`;
    paper.fillRect(0, 0, hue % 160, 90);
  }, 200);

  const out = publishes
    ? await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false } }) : null;

  /** @param {number} number */
  const open = (number) => {
    const member = {
      name: `member ${number}`, connection: new RTCPeerConnection(), tracks: [], errors: [],
      players: /** @type {HTMLAudioElement[]} */ ([]),
    };
    const { connection } = member;
    // What is not played is not decoded.
    connection.ontrack = ({ track }) => {
      if (track.kind !== 'audio' || !publishes) return;
      const player = new Audio();
      player.srcObject = new MediaStream([track]);
      player.play();
      member.players.push(player);
    };
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/v1/meet`);
    /** @param {object} message */
    const say = (message) => socket.send(JSON.stringify(message));
    const offer = async () => {
      const tracks = [];
      if (publishes && out) {
        const [audio] = out.getAudioTracks();
        const [video] = canvas.captureStream(5).getVideoTracks();
        connection.addTransceiver(audio, { direction: 'sendonly' });
        connection.addTransceiver(video, { direction: 'sendonly' });
        tracks.push({ mid: '0', source: 'microphone' }, { mid: '1', source: 'camera' });
      }
      for (const kind of ['audio', 'video']) {
        const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
        for (let i = 0; i < slots; i += 1) {
          const slot = connection.addTransceiver(kind, { direction: 'recvonly' });
          slot.setCodecPreferences(codecs.filter(({ mimeType }) => /opus|VP8/.test(mimeType)));
        }
      }
      await connection.setLocalDescription();
      const { sdp } = /** @type {RTCSessionDescription} */ (connection.localDescription);
      say({ type: 'sfu-offer', new: true, sdp, tracks });
    };
    socket.onopen = () => say({
      type: 'join', version: 1, room, name: member.name, topologies: ['sfu'],
      audio: Boolean(publishes), video: Boolean(publishes),
    });
    socket.onmessage = async ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'welcome') await offer();
      else if (message.type === 'tracks') member.tracks = message.tracks;
      else if (message.type === 'error') member.errors.push(data);
      else if (message.type === 'sfu-answer') {
        await connection.setRemoteDescription({ type: 'answer', sdp: message.sdp });
      }
    };
    return member;
  };
  Object.assign(window, { crowd: Array.from({ length: count }, (_, i) => open(i)) });
}

async function lookAtAll() {
  const { crowd } = /** @type {any} */ (window);
  const all = [];
  for (const { name, connection, tracks, errors } of crowd) {
    const came = new Map();
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp') came.set(entry.mid, entry);
    }
    all.push({
      name, errors, tracks: tracks.map((/** @type {any} */ { mid, member, source }) => ({
        member, source, frames: came.get(mid)?.framesDecoded ?? 0,
        energy: came.get(mid)?.totalAudioEnergy ?? 0,
      })),
    });
  }
  return all;
}

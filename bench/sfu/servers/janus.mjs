// Janus, from Debian: its videoroom over WebSockets, with one handle to publish, and one for all
// that a member watches.  It has no candidates on loopback: it is reached at the machine's own
// address.  LOOPS (none) is how many event loops its handles share; without, each has a thread.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';

const ROOM = 1234;
const PORT = 18188;
const LIBRARY = '/usr/lib/x86_64-linux-gnu/janus';

function configure(folder) {
  const loops = process.env.LOOPS ? `event_loops = ${process.env.LOOPS}` : '';
  writeFileSync(
    join(folder, 'janus.jcfg'),
    `general: {
      configs_folder = "${folder}"
      plugins_folder = "${LIBRARY}/plugins"
      transports_folder = "${LIBRARY}/transports"
      debug_level = 1
      log_to_stdout = true
      ${loops}
    }
    media: { rtp_port_range = "40000-48000" }
    nat: { nice_debug = false, full_trickle = false, ice_lite = false }
    plugins: { disable = "${['audiobridge', 'duktape', 'echotest', 'lua', 'nosip', 'recordplay',
      'sip', 'streaming', 'textroom', 'videocall', 'voicemail']
      .map((name) => `libjanus_${name}.so`)
      .join(',')}" }
    transports: { disable = "${['http', 'mqtt', 'nanomsg', 'pfunix', 'rabbitmq']
      .map((name) => `libjanus_${name}.so`)
      .join(',')}" }
    `,
  );
  writeFileSync(
    join(folder, 'janus.transport.websockets.jcfg'),
    `general: { json = "compact", ws = true, ws_port = ${PORT}, ws_ip = "127.0.0.1", wss = false }`,
  );
  writeFileSync(
    join(folder, 'janus.plugin.videoroom.jcfg'),
    `room-${ROOM}: {
      description = "bench", publishers = 200, bitrate = 0, fir_freq = 0,
      audiocodec = "opus", videocodec = "vp8", transport_wide_cc_ext = true
    }`,
  );
}

class Session {
  #socket;
  #last = 0;
  #waiting = new Map();
  #events = new Map(); // of a handle: who waits for what is said to it later

  async open() {
    this.#socket = new WebSocket(`ws://127.0.0.1:${PORT}`, 'janus-protocol');
    await new Promise((resolve, reject) => {
      this.#socket.once('open', resolve);
      this.#socket.once('error', reject);
    });
    this.#socket.on('message', (text) => this.#hear(JSON.parse(text)));
    const { data } = await this.#ask({ janus: 'create' });
    this.id = data.id;
    this.alive = setInterval(() => this.#ask({ janus: 'keepalive' }), 20000);
  }

  close() {
    clearInterval(this.alive);
    this.#socket.close();
  }

  #hear(message) {
    const waiting = this.#waiting.get(message.transaction);
    if (!waiting) return;
    if (message.janus === 'ack' && waiting.isForEvent) return;
    this.#waiting.delete(message.transaction);
    const why = message.error?.reason ?? message.plugindata?.data?.error;
    if (why) waiting.reject(new Error(`janus: ${why}`));
    else waiting.resolve(message);
  }

  #ask(message, isForEvent = false) {
    const transaction = String(++this.#last);
    this.#socket.send(JSON.stringify({ ...message, transaction, session_id: this.id }));
    return new Promise((resolve, reject) =>
      this.#waiting.set(transaction, { resolve, reject, isForEvent }));
  }

  async attach() {
    const { data } = await this.#ask({ janus: 'attach', plugin: 'janus.plugin.videoroom' });
    return data.id;
  }

  // To the plugin, which answers later.
  async tell(handle, body, jsep) {
    const message = await this.#ask({ janus: 'message', handle_id: handle, body, jsep }, true);
    return { data: message.plugindata.data, jsep: message.jsep };
  }
}

export async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'janus-'));
  configure(folder);
  const server = spawn('janus', ['-C', join(folder, 'janus.jcfg'), '-F', folder], {
    stdio: ['ignore', process.env.DEBUG ? 'inherit' : 'ignore', 'inherit'],
  });
  const session = new Session();
  for (let tries = 0; ; tries++) {
    try {
      await session.open();
      break;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const feeds = new Map();
  const watching = new Map();

  return {
    pids: [server.pid],

    async publish(load, name, kinds) {
      load.say(`publish ${name} ${kinds.join(' ')}`);
      const handle = await session.attach();
      const offer = await load.offer(name);
      const { data, jsep } = await session.tell(
        handle,
        { request: 'joinandconfigure', ptype: 'publisher', room: ROOM, display: name },
        { type: 'offer', sdp: offer },
      );
      feeds.set(name, data.id);
      if (process.env.DEBUG) console.error(jsep.sdp);
      load.take(name, jsep.sdp);
      await load.connected(name);
    },

    // Once for each, with all that it is to see.
    async watch(load, name, publishers) {
      const peer = `${name}<`;
      const streams = publishers.map((publisher) => ({ feed: feeds.get(publisher) }));
      const handle = await session.attach();
      const { jsep } = await session.tell(handle, {
        request: 'join', ptype: 'subscriber', room: ROOM, streams,
      });
      watching.set(name, handle);
      const answer = await load.answer(peer, jsep.sdp);
      await session.tell(handle, { request: 'start' }, { type: 'answer', sdp: answer });
      await load.connected(peer);
    },

    async stop() {
      session.close();
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      const timer = setTimeout(() => server.kill('SIGKILL'), 5000);
      await gone;
      clearTimeout(timer);
      rmSync(folder, { recursive: true });
    },
  };
}

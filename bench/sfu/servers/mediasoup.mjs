// mediasoup: its node package in front of one worker that bench/sfu/worker/build has built.  There
// is a transport to publish by, and one for all that a member watches, on the port of a
// WebRtcServer.  PORTS=each gives each transport a port of its own; URING=no has packets sent
// without io_uring; PAUSED=no what is watched go as soon as the transport is there.  CPU and memory
// are the worker's alone: what node takes is not in them.
import { createRequire } from 'node:module';
import { built } from '../load.mjs';
import { CODECS, EXTENSIONS, dtlsOf, head, section, sectionsOf, sent, text } from '../ortc.mjs';

const ADDRESS = '10.77.0.1'; // of `network`
const LISTEN = [{ protocol: 'udp', ip: ADDRESS, port: 40000 }];

const ESTIMATE = /transport-cc|transport-wide-cc|goog-remb|abs-send-time/;

// What those who watch can do: what the load can, and without what serves to estimate bandwidth
// where that is not wanted.
function capabilities({ codecs, headerExtensions }, estimates) {
  const isKept = (name) => estimates || !ESTIMATE.test(name);
  return {
    codecs: codecs.map((codec) => ({
      ...codec,
      rtcpFeedback: codec.rtcpFeedback.filter(({ type }) => isKept(type)),
    })),
    headerExtensions: headerExtensions.filter(
      ({ uri }) => isKept(uri) && EXTENSIONS.includes(uri),
    ),
  };
}

class Room {
  #router;
  #webRtcServer;
  #producers = new Map();
  #watching = new Map();

  async open(worker, estimates) {
    if (process.env.PORTS !== 'each')
      this.#webRtcServer = await worker.createWebRtcServer({ listenInfos: LISTEN });
    this.#router = await worker.createRouter({ mediaCodecs: CODECS });
    this.capabilities = capabilities(this.#router.rtpCapabilities, estimates);
  }

  #openTransport() {
    return this.#router.createWebRtcTransport(
      this.#webRtcServer
        ? { webRtcServer: this.#webRtcServer }
        : { listenInfos: [{ protocol: 'udp', ip: ADDRESS }] },
    );
  }

  async publish(load, name, kinds) {
    load.say(`publish ${name} ${kinds.join(' ')}`);
    const transport = await this.#openTransport();
    const offer = await load.offer(name);
    const sections = sectionsOf(offer).map(sent);
    const answer = head(transport, sections.map(({ rtpParameters }) => rtpParameters.mid));
    const producers = [];
    for (const { kind, rtpParameters } of sections) {
      producers.push(await transport.produce({ kind, rtpParameters }));
      answer.push(...section(transport, kind, 'recvonly', 'passive', rtpParameters));
    }
    this.#producers.set(name, producers);
    await transport.connect({ dtlsParameters: dtlsOf(offer) });
    load.take(name, text(answer));
    await load.connected(name);
  }

  // Once for each, with all that it is to see.
  async watch(load, name, publishers) {
    const peer = `${name}<`;
    const transport = await this.#openTransport();
    this.#watching.set(name, transport);
    const rtpCapabilities = this.capabilities;
    const consumers = [];
    const paused = process.env.PAUSED !== 'no';
    for (const publisher of publishers)
      for (const { id: producerId } of this.#producers.get(publisher))
        consumers.push(await transport.consume({ producerId, rtpCapabilities, paused }));
    const offer = head(transport, consumers.map(({ rtpParameters }) => rtpParameters.mid));
    for (const { kind, rtpParameters } of consumers)
      offer.push(...section(transport, kind, 'sendonly', 'actpass', rtpParameters));
    const answer = await load.answer(peer, text(offer));
    await transport.connect({ dtlsParameters: dtlsOf(answer) });
    await load.connected(peer);
    await Promise.all(consumers.map((consumer) => consumer.resume()));
  }

  // bits/s that the line of one who watches is thought to take.
  async estimate(name) {
    const [{ availableOutgoingBitrate }] = await this.#watching.get(name).getStats();
    return availableOutgoingBitrate;
  }
}

export async function start({ settings }) {
  const require = createRequire(built('mediasoup/package.json'));
  const worker = await require('mediasoup').createWorker({
    workerBin: built('mediasoup/mediasoup-worker'),
    logLevel: process.env.DEBUG ? 'debug' : 'error',
    logTags: process.env.DEBUG ? ['info', 'ice', 'dtls', 'srtp', 'rtp'] : [],
    disableLiburing: process.env.URING === 'no',
  });
  let isOver = false;
  worker.once('died', (error) => {
    if (isOver) return;
    console.error(`mediasoup: ${error.message}`);
    process.exit(1);
  });
  const room = new Room();
  await room.open(worker, settings.feedback !== '0');

  return {
    pids: [worker.pid],
    publish: (...words) => room.publish(...words),
    watch: (...words) => room.watch(...words),
    estimate: (name) => room.estimate(name),

    async stop() {
      const gone = new Promise((resolve) => worker.once('subprocessclose', resolve));
      isOver = true;
      worker.close();
      await gone;
    },
  };
}

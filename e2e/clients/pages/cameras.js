/**
 * The room of the pages that speak STOMP over SockJS to a Spring broker: everybody's camera to
 * everybody. A person enters, which subscribes, and later presses start, which asks for all keys,
 * waits a second and offers to each of them.
 *
 * The library is the page's affair; this needs `subscribe(destination, heard)` and
 * `send(destination, text)` of it.
 */

const LEARNING_MS = 1000;

class Cameras {
  constructor({ room, iceServers, subscribe, send }) {
    this.key = Math.random().toString(36).substring(2, 11);
    this.room = room;
    this.iceServers = iceServers;
    this.subscribe = subscribe;
    this.send = send;
    this.others = [];
    this.connections = new Map();
    this.answers = 0;
  }

  async openCamera() {
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const own = document.getElementById('own');
    own.srcObject = this.stream;
    document.getElementById('key').textContent = this.key;
  }

  enter() {
    const mine = (what) => `/topic/peer/${what}/${this.key}/${this.room}`;
    this.subscribe(mine('iceCandidate'), (text) => this.hearCandidate(JSON.parse(text)));
    this.subscribe(mine('offer'), (text) => this.hearOffer(JSON.parse(text)));
    this.subscribe(mine('answer'), (text) => this.hearAnswer(JSON.parse(text)));
    this.subscribe('/topic/call/key', () => this.send('/app/send/key', JSON.stringify(this.key)));
    this.subscribe('/topic/send/key', (text) => this.hearKey(JSON.parse(text)));
    document.getElementById('state').textContent = 'entered';
  }

  start() {
    this.send('/app/call/key', '{}');
    setTimeout(() => {
      for (const other of this.others) {
        if (!this.connections.has(other)) this.offer(other);
      }
    }, LEARNING_MS);
  }

  hearKey(key) {
    if (key === this.key) document.getElementById('answers').textContent = ++this.answers;
    else if (!this.others.includes(key)) this.others.push(key);
    document.getElementById('others').textContent = [...this.others].sort().join(' ');
  }

  async offer(other) {
    const connection = this.connect(other);
    const offer = await connection.createOffer();
    await connection.setLocalDescription(offer);
    this.tell('offer', other, offer);
  }

  async hearOffer({ key, body }) {
    const connection = this.connect(key);
    connection.setRemoteDescription(new RTCSessionDescription(body));
    const answer = await connection.createAnswer();
    await connection.setLocalDescription(answer);
    this.tell('answer', key, answer);
  }

  hearAnswer({ key, body }) {
    this.connections.get(key).setRemoteDescription(new RTCSessionDescription(body));
  }

  hearCandidate({ key, body }) {
    this.connections.get(key).addIceCandidate(new RTCIceCandidate(body));
  }

  tell(what, other, body) {
    this.send(`/app/peer/${what}/${other}/${this.room}`, JSON.stringify({ key: this.key, body }));
  }

  connect(other) {
    const connection = new RTCPeerConnection({ iceServers: this.iceServers });
    this.connections.set(other, connection);
    connection.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate) this.tell('iceCandidate', other, candidate);
    });
    connection.addEventListener('track', ({ streams }) => this.show(other, streams[0]));
    for (const track of this.stream.getTracks()) connection.addTrack(track, this.stream);
    return connection;
  }

  show(other, stream) {
    if (document.getElementById(other)) return;
    const video = document.createElement('video');
    Object.assign(video, { id: other, className: 'remote', autoplay: true, srcObject: stream });
    document.body.append(video);
  }
}

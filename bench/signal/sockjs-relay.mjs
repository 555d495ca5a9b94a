// The smallest STOMP broker on sockjs: a SEND to /app/X goes to who is subscribed to /topic/X.
import { createServer } from 'node:http';
import sockjs from 'sockjs';

const http = createServer();
const signaling = sockjs.createServer({ log: () => {} });
const subscribers = new Map();
let last = 0;

function headersOf(frame) {
  const [head, ...body] = frame.split('\n\n');
  const [command, ...lines] = head.split('\n');
  const headers = Object.fromEntries(lines.map((line) => line.split(/:(.*)/s, 2)));
  return { command, headers, body: body.join('\n\n').replace(/\0$/, '') };
}

signaling.on('connection', (client) => {
  const own = [];
  client.on('data', (text) => {
    const { command, headers, body } = headersOf(text);
    if (command === 'CONNECT') {
      client.write('CONNECTED\nversion:1.1\nheart-beat:0,0\n\n\0');
    } else if (command === 'SUBSCRIBE') {
      const list = subscribers.get(headers.destination) ?? new Map();
      subscribers.set(headers.destination, list.set(client, headers.id));
      own.push(headers.destination);
    } else if (command === 'SEND') {
      const destination = headers.destination.replace(/^\/app\//, '/topic/');
      for (const [to, id] of subscribers.get(destination) ?? [])
        to.write(`MESSAGE\ndestination:${destination}\nsubscription:${id}\nmessage-id:${++last}\n` +
          `content-length:${Buffer.byteLength(body)}\n\n${body}\0`);
    }
  });
  client.on('close', () => {
    for (const destination of own) subscribers.get(destination)?.delete(client);
  });
});
signaling.installHandlers(http, { prefix: '/signaling' });
http.listen(Number(process.argv[2]), '127.0.0.1');

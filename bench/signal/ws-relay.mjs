// The smallest signaling server on ws: a message names a client, and goes on to it.
import { WebSocketServer } from 'ws';

const clients = new Map();
let last = 0;
const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1' });

server.on('connection', (socket) => {
  const id = String(++last);
  clients.set(id, socket);
  socket.send(JSON.stringify({ you: id }));
  socket.on('message', (text) => {
    const { to, data } = JSON.parse(text);
    clients.get(to)?.send(JSON.stringify({ from: id, data }));
  });
  socket.on('close', () => clients.delete(id));
});

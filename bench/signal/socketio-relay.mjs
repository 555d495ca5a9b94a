// The smallest signaling server on socket.io: a message names a client, and goes on to it.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  socket.on('signal', ({ to, data }) => {
    io.to(to).emit('signal', { from: socket.id, data });
  });
});
http.listen(Number(process.argv[2]), '127.0.0.1');

/**
 * Kinds C and D: two people, a call button, and a server that passes on what each says to the
 * other. C over Socket.IO with each generation of its client, D over a bare WebSocket with TLS.
 */

import assert from 'node:assert/strict';
import { openHouse, visit } from './clients/visit.js';

const house = openHouse();

for (const version of ['2', '3', '4']) {
  visit(house, `two call each other with socket.io-client ${version}`, async () => {
    const people = [];
    for (const name of ['Mina', 'Jun']) {
      people.push(await house.guest(name, 'pair-socketio.html', { version }));
    }
    for (const person of people) await person.reads('state', 'ready');
    await people[0].click('call');
    for (const person of people) await person.receives(1);
    // The session began with long polls, and went on over a WebSocket.
    const upgrade = `/socket.io/?EIO=${version === '2' ? 3 : 4}&transport=websocket&sid=`;
    for (const { sockets } of people) {
      assert.ok(
        sockets.some((url) => url.includes(upgrade)),
        sockets.join(),
      );
    }
  });
}

visit(house, 'two call each other over a WebSocket with TLS', async () => {
  const wishes = { host: `localhost:${house.server.ports.https}`, scheme: 'wss' };
  const people = [];
  for (const name of ['Mina', 'Jun']) {
    const options = { ignoreHTTPSErrors: true };
    people.push(await house.guest(name, 'pair-websocket.html', wishes, options));
  }
  for (const person of people) await person.reads('state', 'ready');
  await people[0].click('call');
  for (const person of people) await person.receives(1);
});

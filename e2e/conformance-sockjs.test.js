/** SockJS 0.3.3: what belongs to no session, and what goes through sessions over requests. */

import assert from 'node:assert/strict';
import { conformance, fact } from './lib/service.js';
import { FORM, GO_AWAY, SockSession, STILL_OPEN, TRANSPORTS } from './lib/sockjs.js';
import { Wire, requestText } from './lib/wire.js';

const WELCOME = 'Welcome to SockJS!\n';
const STREAMS = /** @type {const} */ (['xhr_streaming', 'eventsource', 'htmlfile']);
const TYPES = {
  xhr: 'application/javascript;charset=UTF-8',
  xhr_streaming: 'application/javascript;charset=UTF-8',
  eventsource: 'text/event-stream;charset=UTF-8',
  htmlfile: 'text/html;charset=UTF-8',
  jsonp: 'application/javascript;charset=UTF-8',
};

const service = conformance();

const session = (base = '/echo') => new SockSession(service, base);

/** @typedef {Record<string, string>} Headers */

/** @param {Headers} headers @param {string} type */
const hasType = (headers, type) => assert.equal(headers['content-type'].replaceAll(' ', ''), type);

/** @param {Headers} headers @param {string} [origin] */
function hasCors(headers, origin = '*') {
  assert.equal(headers['access-control-allow-origin'], origin);
  assert.equal(headers['access-control-allow-credentials'], 'true');
}

/** @param {Headers} headers */
function isNotCached(headers) {
  assert.equal(headers['cache-control'], 'no-store, no-cache, must-revalidate, max-age=0');
  assert.equal(headers.expires, undefined);
  assert.equal(headers['last-modified'], undefined);
}

/** @param {Headers} headers */
function isCachedLong(headers) {
  assert.match(headers['cache-control'], /public/);
  assert.match(headers['cache-control'], /max-age=[1-9][0-9]{6}/);
  assert.ok(headers.expires);
  assert.equal(headers['last-modified'], undefined);
}

/** @param {Headers} headers @param {string} [value] */
function hasCookie(headers, value = 'dummy') {
  const [cookie, where] = headers['set-cookie'].split(';');
  assert.equal(cookie.trim(), `JSESSIONID=${value}`);
  assert.equal(where.trim().toLowerCase(), 'path=/');
}

/** @param {string} where @param {string} methods */
async function hasOptions(where, methods) {
  for (const origin of [undefined, 'test', 'null']) {
    const headers = origin ? { Origin: origin } : undefined;
    const answer = await service.ask('OPTIONS', where, { headers });
    assert.equal(answer.status, 204);
    assert.equal(answer.body, '');
    isCachedLong(answer.headers);
    assert.ok(Number(answer.headers['access-control-max-age']) > 1_000_000);
    assert.equal(answer.headers['access-control-allow-methods'], methods);
    hasCors(answer.headers, origin === 'test' ? 'test' : '*');
  }
}

// ---- pages ----

fact('greets', async () => {
  for (const where of ['/echo', '/echo/']) {
    const { status, headers, body } = await service.ask('GET', where);
    assert.equal(status, 200);
    hasType(headers, 'text/plain;charset=UTF-8');
    assert.equal(body, WELCOME);
    assert.equal(headers['set-cookie'], undefined);
  }
});

fact('knows no other pages', async () => {
  for (const below of ['/a', '/a.html', '//', '///', '/a/a', '/a/a/', '/a/']) {
    assert.equal((await service.ask('GET', `/echo${below}`)).status, 404, below);
  }
  for (const name of ['.htm', '', '.HTML', '.xml', '-/.html']) {
    assert.equal((await service.ask('GET', `/echo/iframe${name}`)).status, 404, name);
  }
  assert.equal((await service.ask('GET', '/echo/IFRAME.HTML')).status, 404);
  assert.equal((await service.ask('GET', '/echo/IFRAME')).status, 404);
});

const IFRAME = new RegExp(
  `^${[
    '<!DOCTYPE html>',
    '<html>',
    '<head>',
    '  <meta http-equiv="X-UA-Compatible" content="IE=edge" />',
    '  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />',
    '  <script>',
    '    document.domain = document.domain;',
    '    _sockjs_onload = function\\(\\){SockJS.bootstrap_iframe\\(\\);};',
    '  </script>',
    '  <script src="(/|http)[^"]*"></script>',
    '</head>',
    '<body>',
    '  <h2>Don\'t panic!</h2>',
    "  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>",
    '</body>',
    '</html>$',
  ].join('\n')}`,
);

fact('has the page for frames, and caches keep it', async () => {
  for (const version of ['', '-a', '-', '-0.1.2', '-0.1.2abc-dirty.2144']) {
    for (const query of ['', '?t=1234']) {
      const where = `/echo/iframe${version}.html${query}`;
      const { status, headers, body } = await service.ask('GET', where);
      assert.equal(status, 200);
      hasType(headers, 'text/html;charset=UTF-8');
      isCachedLong(headers);
      assert.equal(headers['set-cookie'], undefined);
      assert.match(body.trim(), IFRAME);
    }
  }
  const { headers } = await service.ask('GET', '/echo/iframe.html');
  assert.ok(headers.etag);
  assert.equal((await service.ask('GET', '/echo/iframe.html')).headers.etag, headers.etag);
  const known = { headers: { 'If-None-Match': headers.etag } };
  const again = await service.ask('GET', '/echo/iframe.html', known);
  assert.equal(again.status, 304);
  assert.equal(again.headers['content-type'], undefined);
  assert.equal(again.body, '');
});

fact('tells what it can', async () => {
  const entropies = new Set();
  for (let i = 0; i < 3; i += 1) {
    const { status, headers, body } = await service.ask('GET', '/echo/info');
    assert.equal(status, 200);
    hasType(headers, 'application/json;charset=UTF-8');
    assert.equal(headers['set-cookie'], undefined);
    isNotCached(headers);
    hasCors(headers);
    const { entropy, ...info } = JSON.parse(body);
    assert.deepEqual(info, { websocket: true, origins: ['*:*'], cookie_needed: false });
    assert.ok(Number.isInteger(entropy) && entropy >= 0 && entropy < 2 ** 32, String(entropy));
    entropies.add(entropy);
  }
  assert.equal(entropies.size, 3);
  const without = await service.ask('GET', '/disabled_websocket_echo/info');
  assert.equal(JSON.parse(without.body).websocket, false);
  const balanced = await service.ask('GET', '/cookie_needed_echo/info');
  assert.equal(JSON.parse(balanced.body).cookie_needed, true);
  assert.equal(balanced.headers['set-cookie'], undefined);
});

fact('answers what browsers ask before they ask', async () => {
  await hasOptions('/echo/info', 'OPTIONS, GET');
  for (const transport of ['xhr', 'xhr_send', 'xhr_streaming']) {
    await hasOptions(`/echo/abc/abc/${transport}`, 'OPTIONS, POST');
  }
});

fact('allows the headers that are asked for', async () => {
  for (const asked of ['a, b, c', '', undefined]) {
    /** @type {Headers} */
    const headers = asked === undefined ? {} : { 'Access-Control-Request-Headers': asked };
    const { status, headers: got } = await session().poll('xhr', headers);
    assert.equal(status, 200);
    hasCors(got);
    assert.equal(got['access-control-allow-headers'] ?? '', asked ?? '');
    const preflight = await service.ask('OPTIONS', `${session().path}/xhr`, { headers });
    assert.equal(preflight.headers['access-control-allow-headers'] ?? '', asked ?? '');
  }
});

fact('a page from a file or in a sandbox is told its own origin', async () => {
  const headers = { Origin: 'null' };
  hasCors((await service.ask('GET', '/echo/info', { headers })).headers, 'null');
  hasCors((await session().poll('xhr', headers)).headers, 'null');
  const asked = { headers: { ...headers, 'Access-Control-Request-Method': 'POST' } };
  const preflight = await service.ask('OPTIONS', `${session().path}/xhr`, asked);
  hasCors(preflight.headers, 'null');
});

// ---- sessions ----

fact('any name will do for a session, but for dots and nothing', async () => {
  const unique = session().id;
  for (const [server, name] of [
    ['a', `a${unique}`],
    ['_', `_${unique}`],
    ['1', unique],
    ['abcdefgh_i-j%20', `abcdefg_i-j%20${unique}`],
  ]) {
    const { status, body } = await service.ask('POST', `/echo/${server}/${name}/xhr`);
    assert.equal(status, 200);
    assert.equal(body, 'o\n');
  }
  for (const path of ['//', '/a./a', '/a/a.', '/./.', '/', '///']) {
    assert.equal((await service.ask('GET', `/echo${path}/xhr`)).status, 404, path);
    assert.equal((await service.ask('POST', `/echo${path}/xhr`)).status, 404, path);
  }
});

fact("the server's part of the path says nothing", async () => {
  const { id } = session();
  assert.equal((await service.ask('POST', `/echo/000/${id}/xhr`)).body, 'o\n');
  await new SockSession(service, '/echo', id).tells('["a"]');
  assert.equal((await service.ask('POST', `/echo/999/${id}/xhr`)).body, 'a["a"]\n');
});

fact('xhr: a session', async () => {
  const one = session();
  const opened = await one.poll();
  assert.equal(opened.status, 200);
  assert.equal(opened.body, 'o\n');
  hasType(opened.headers, TYPES.xhr);
  hasCors(opened.headers);
  isNotCached(opened.headers);
  const { headers } = await one.tells('["x"]');
  hasType(headers, 'text/plain;charset=UTF-8');
  hasCors(headers);
  isNotCached(headers);
  await one.says('a["x"]');
  hasCors((await session().poll('xhr', { Origin: 'test' })).headers, 'test');
});

fact('a message to nobody is not found', async () => {
  assert.equal((await session().send('["x"]')).status, 404);
  assert.equal((await session().sendForm('d=%5B%22x%22%5D')).status, 404);
});

fact('xhr: what is no JSON is refused, and does no harm', async () => {
  const one = session();
  await one.says('o');
  for (const [body, words] of [
    ['["x', 'Broken JSON encoding.'],
    ['', 'Payload expected.'],
  ]) {
    const answer = await one.send(body);
    assert.equal(answer.status, 500);
    assert.ok(answer.body.includes(words), answer.body);
  }
  await one.tells('[]');
  await one.tells('["a"]');
  await one.says('a["a"]');
});

fact('xhr: any type will do', async () => {
  const one = session();
  await one.says('o');
  for (const type of [
    'text/plain',
    'T',
    'application/json',
    'application/xml',
    '',
    'application/json; charset=utf-8',
    'text/xml; charset=utf-8',
    'text/xml',
  ]) {
    const { status, body } = await one.send('["a"]', { 'Content-Type': type });
    assert.equal(status, 204, type);
    assert.equal(body, '');
  }
  await one.says(`a[${Array(8).fill('"a"').join(',')}]`);
});

for (const transport of STREAMS) {
  fact(`${transport}: a session`, async () => {
    const one = session();
    const stream = await one.stream(transport);
    hasType(stream.headers, TYPES[transport]);
    isNotCached(stream.headers);
    if (transport !== 'htmlfile') hasCors(stream.headers);
    await stream.says('o');
    await one.tells('["x"]');
    await stream.says('a["x"]');
    await one.tells('["  \\u0000\\n\\r "]');
    await stream.says('a["  \\u0000\\n\\r "]');
    stream.wire.drop();
  });

  fact(`${transport}: a response ends when it is long`, async () => {
    const one = session();
    const stream = await one.stream(transport);
    await stream.says('o');
    const message = 'x'.repeat(4096);
    await one.tells(`["${message}"]`);
    await stream.says(`a["${message}"]`);
    await stream.says('');
    const next = await one.stream(transport);
    await one.tells('["and on"]');
    await next.says('a["and on"]');
    next.wire.drop();
  });
}

fact('xhr_streaming: a response ends when many short messages make it long', async () => {
  const one = session();
  const stream = await one.stream();
  await stream.says('o');
  const message = `"${'x'.repeat(128)}"`;
  for (let i = 0; i < 31; i += 1) {
    await one.tells(`[${message}]`);
    await stream.says(`a[${message}]`);
  }
  await stream.says('');
});

fact('jsonp: a session', async () => {
  const one = session();
  const { status, headers, body } = await one.poll('jsonp');
  assert.equal(status, 200);
  hasType(headers, TYPES.jsonp);
  isNotCached(headers);
  assert.equal(body, 'callback("o");\r\n');
  const sent = await one.sendForm('d=%5B%22x%22%5D');
  assert.equal(sent.status, 200);
  assert.equal(sent.body, 'ok');
  hasType(sent.headers, 'text/plain;charset=UTF-8');
  isNotCached(sent.headers);
  await one.says('a["x"]', 'jsonp');
});

fact('jsonp: text as it is, text in a form, and neither', async () => {
  const one = session();
  await one.says('o', 'jsonp');
  const broken = await one.sendForm('d=%5B%22x');
  assert.equal(broken.status, 500);
  assert.ok(broken.body.includes('Broken JSON encoding.'), broken.body);
  for (const nothing of ['', 'd=', 'p=p']) {
    const { status, body } = await one.sendForm(nothing);
    assert.equal(status, 500);
    assert.ok(body.includes('Payload expected.'), body);
  }
  for (const [body, type] of [
    ['d=%5B%5D', FORM['Content-Type']],
    ['d=%5B%22abc%22%5D', FORM['Content-Type']],
    ['["%61bc"]', 'text/plain'],
    ['d=%5B%22a+b%22%5D&more=1', `${FORM['Content-Type']}; charset=UTF-8`],
  ]) {
    assert.equal((await one.sendForm(body, { 'Content-Type': type })).body, 'ok', body);
  }
  await one.says('a["abc","%61bc","a b"]', 'jsonp');
});

for (const transport of ['jsonp', 'htmlfile']) {
  fact(`${transport}: the callback is a name`, async () => {
    const missing = await service.ask('GET', `/echo/a/a/${transport}`);
    assert.equal(missing.status, 500);
    assert.ok(missing.body.includes('"callback" parameter required'), missing.body);
    for (const callback of ['%20', '*', 'abc(', 'abc%28', '%3Cscript%3E']) {
      const { status, body } = await service.ask('GET', `/echo/a/a/${transport}?c=${callback}`);
      assert.equal(status, 500);
      assert.ok(body.includes('invalid "callback" parameter'), body);
    }
  });
}

fact('cookies are set where they are wished, and only there', async () => {
  for (const transport of /** @type {const} */ (['xhr', 'jsonp'])) {
    hasCookie((await session('/cookie_needed_echo').poll(transport)).headers);
    const own = await session('/cookie_needed_echo').poll(transport, {
      Cookie: 'a=b; JSESSIONID=abcdef; c=d',
    });
    hasCookie(own.headers, 'abcdef');
    assert.equal((await session().poll(transport)).headers['set-cookie'], undefined);
  }
  for (const transport of STREAMS) {
    const stream = await session('/cookie_needed_echo').stream(transport);
    hasCookie(stream.headers);
    stream.wire.drop();
  }
  const one = session('/cookie_needed_echo');
  await one.says('o', 'jsonp');
  hasCookie((await one.sendForm('d=%5B%22x%22%5D')).headers);
  hasCookie((await one.tells('["x"]')).headers);
});

// ---- letters ----

/** All UTF-16 units of the ranges, as escapes. @param {number[][]} ranges */
const escapes = (ranges) =>
  ranges
    .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
    .map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
    .join('');

fact('letters that get lost on the way are sent as escapes', async () => {
  const fragile = escapes([
    [0x200c, 0x200f],
    [0x2028, 0x202f],
    [0x2060, 0x206f],
    [0xfff0, 0xffff],
  ]);
  const one = session();
  await one.says('o');
  await one.tells(`["${JSON.parse(`"${fragile}"`)}"]`);
  const { body } = await one.poll();
  assert.equal(body.trim().slice(2, -1), `"${fragile}"`);
});

fact('letters that come as escapes are read', async () => {
  const most = escapes([
    [0x00, 0x1f],
    [0x22, 0x22],
    [0x5c, 0x5c],
    [0x7f, 0xa0],
    [0x0600, 0x0604],
    [0x2000, 0x20ff],
    [0xf900, 0xfa0d],
    [0xfeff, 0xfeff],
    [0xfff0, 0xffff],
  ]);
  const one = session();
  await one.says('o');
  await one.tells(`["${most}\\ud83d\\ude00😀"]`);
  const { body } = await one.poll();
  assert.equal(JSON.parse(body.slice(1))[0], `${JSON.parse(`"${most}"`)}😀😀`);
});

// ---- the end ----

fact('a session that was closed says so, again and again', async () => {
  for (const transport of /** @type {const} */ (['xhr', 'jsonp'])) {
    const one = session('/close');
    await one.says('o', transport);
    for (let i = 0; i < 3; i += 1) await one.says(GO_AWAY, transport);
  }
});

fact('a stream of a closed session says so, and ends', async () => {
  const one = session('/close');
  const first = await one.stream();
  await first.says('o');
  await first.says(GO_AWAY);
  const second = await one.stream();
  await second.says(GO_AWAY);
  await first.says('');
  await second.says('');
});

fact('a second stream is shown out', async () => {
  const one = session();
  const first = await one.stream();
  await first.says('o');
  const second = await one.stream();
  await second.says(STILL_OPEN);
  await second.says('');
  first.wire.drop();
});

/** What a session says whose response broke off: nothing is left of it, or that it is over. */
async function isBroken(/** @type {SockSession} */ one) {
  let { body } = await one.poll();
  // the news may be slower than the next request
  while (body === `${STILL_OPEN}\n`) body = (await one.poll()).body;
  assert.ok(['o\n', 'c[1002,"Connection interrupted"]\n'].includes(body), body);
}

fact('of two polls one is shown out, and when the other breaks off the session ends', async () => {
  const one = session();
  await one.says('o');
  const wires = [await Wire.open(service.port), await Wire.open(service.port)];
  for (const wire of wires) wire.send(requestText('POST', `${one.path}/xhr`));
  const [answered, held] = await Promise.race(
    wires.map(async (wire, i) => {
      const body = await wire.body(await wire.head());
      assert.equal(body, `${STILL_OPEN}\n`);
      return [wire, wires[1 - i]];
    }),
  );
  answered.drop();
  held.drop();
  await isBroken(one);
});

fact('a stream that breaks off ends the session', async () => {
  const one = session();
  const stream = await one.stream();
  await stream.says('o');
  await one.says(STILL_OPEN);
  stream.wire.drop();
  await isBroken(one);
});

// ---- HTTP below it ----

for (const http of ['1.0', '1.1']) {
  fact(`HTTP/${http}: an answer has its length, and the connection goes on`, async () => {
    const asked = requestText('GET', '/echo', { http, headers: { Connection: 'Keep-Alive' } });
    const wire = await Wire.open(service.port);
    for (let i = 0; i < 2; i += 1) {
      const head = await wire.send(asked).head();
      assert.equal(head.status, 200);
      assert.equal(head.headers['content-length'], String(WELCOME.length));
      assert.equal(head.headers['transfer-encoding'], undefined);
      const { connection = '' } = head.headers;
      assert.match(connection, http === '1.0' ? /^keep-alive$/i : /^(keep-alive)?$/i);
      assert.equal(await wire.body(head), WELCOME);
    }
    wire.drop();
  });
}

fact('HTTP/1.0: a stream has no chunks, and ends with the connection', async () => {
  const { path } = session('/close');
  const asked = { http: '1.0', headers: { Connection: 'Keep-Alive' } };
  const { wire, status, headers } = await service.begin('POST', `${path}/xhr_streaming`, asked);
  assert.equal(status, 200);
  assert.equal(headers['transfer-encoding'], undefined);
  assert.equal(headers['content-length'], undefined);
  assert.equal(await wire.rest(), `${'h'.repeat(2048)}\no\n${GO_AWAY}\n`);
});

fact('HTTP/1.1: a stream ends, and the connection goes on', async () => {
  const one = session('/close');
  const stream = await one.stream();
  await stream.says('o');
  await stream.says(GO_AWAY);
  await stream.says('');
  const head = await stream.wire.send(requestText('GET', '/echo')).head();
  assert.equal(await stream.wire.body(head), WELCOME);
  stream.wire.drop();
});

fact('a number is amplified', async () => {
  const one = session('/amplify');
  await one.says('o');
  await one.tells('["0","1","5","19","20","no"]');
  const { body } = await one.poll();
  const sizes = JSON.parse(body.slice(1)).map((/** @type {string} */ text) => {
    assert.match(text, /^x+$/);
    return text.length;
  });
  assert.deepEqual(sizes, [2, 2, 32, 2 ** 19, 2, 2]);
});

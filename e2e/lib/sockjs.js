/** A SockJS client that knows the bytes of every transport, as protocol 0.3.3 has them. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

export const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
export const GO_AWAY = 'c[3000,"Go away!"]';
export const STILL_OPEN = 'c[2010,"Another connection still open"]';
const PRELUDE_SIZE = 2048;

/** @param {string} text as it stands in a string of a script */
const quote = (text) => JSON.stringify(text);

/** How each transport wraps a frame; those that stream have a prelude before the first. */
export const TRANSPORTS = {
  xhr: { method: 'POST', query: '', wrap: (/** @type {string} */ frame) => `${frame}\n` },
  xhr_streaming: {
    method: 'POST',
    query: '',
    wrap: (/** @type {string} */ frame) => `${frame}\n`,
    prelude: (/** @type {string} */ text) =>
      assert.equal(text, `${'h'.repeat(PRELUDE_SIZE)}\n`, 'the prelude'),
  },
  eventsource: {
    method: 'GET',
    query: '',
    wrap: (/** @type {string} */ frame) => `data: ${frame}\r\n\r\n`,
    prelude: (/** @type {string} */ text) => assert.equal(text, '\r\n', 'the prelude'),
  },
  htmlfile: {
    method: 'GET',
    query: '?c=%63allback',
    wrap: (/** @type {string} */ frame) => `<script>\np(${quote(frame)});\n</script>\r\n`,
    prelude: (/** @type {string} */ text) => {
      assert.equal(text.trim(), HTML_HEAD);
      assert.ok(text.length > 1024, `${text.length} bytes are shown only when there are more`);
    },
  },
  jsonp: {
    method: 'GET',
    query: '?c=%63allback',
    wrap: (/** @type {string} */ frame) => `callback(${quote(frame)});\r\n`,
  },
};

const HTML_HEAD = `<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.callback;
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>`;

/** A session over requests: each of them on a connection of its own. */
export class SockSession {
  path;

  /**
   * @param {import('./service.js').Service} service
   * @param {string} base
   * @param {string} [id]
   */
  constructor(service, base, id = randomUUID()) {
    this.service = service;
    this.base = base;
    this.id = id;
    this.path = `${base}/000/${id}`;
  }

  /**
   * A poll, to its end.
   * @param {keyof typeof TRANSPORTS} [transport]
   * @param {Record<string, string>} [headers]
   */
  poll(transport = 'xhr', headers) {
    const { method, query } = TRANSPORTS[transport];
    return this.service.ask(method, `${this.path}/${transport}${query}`, { headers });
  }

  /**
   * A poll that says exactly this.
   * @param {string} frame
   * @param {keyof typeof TRANSPORTS} [transport]
   */
  async says(frame, transport = 'xhr') {
    const { status, body } = await this.poll(transport);
    assert.equal(status, 200);
    assert.equal(body, TRANSPORTS[transport].wrap(frame));
  }

  /**
   * A response that streams, behind its prelude.
   * @param {keyof typeof TRANSPORTS} [transport]
   * @param {Record<string, string>} [headers]
   */
  async stream(transport = 'xhr_streaming', headers) {
    const { method, query, wrap, .../** @type {any} */ rest } = TRANSPORTS[transport];
    const where = `${this.path}/${transport}${query}`;
    const begun = await this.service.begin(method, where, { headers });
    assert.equal(begun.status, 200);
    assert.equal(begun.headers['transfer-encoding'], 'chunked');
    assert.equal(begun.headers['content-length'], undefined);
    rest.prelude(await begun.wire.chunk());
    return {
      ...begun,
      /** The next frame, in a chunk of its own; '' is the end. @param {string} frame */
      async says(frame) {
        assert.equal(await begun.wire.chunk(), frame && wrap(frame));
      },
    };
  }

  /**
   * @param {string} body
   * @param {Record<string, string>} [headers]
   */
  send(body, headers) {
    return this.service.ask('POST', `${this.path}/xhr_send`, { body, headers });
  }

  /** A message that is taken. @param {string} body */
  async tells(body) {
    const answer = await this.send(body);
    assert.equal(answer.status, 204, answer.body);
    assert.equal(answer.body, '');
    return answer;
  }

  /** @param {string} body */
  sendForm(body, headers = FORM) {
    return this.service.ask('POST', `${this.path}/jsonp_send`, { body, headers });
  }
}

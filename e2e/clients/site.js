/**
 * Where the clients' pages come from: a small server of files on a port of its own, so that what a
 * page asks of moim goes to another origin, as it does for the pages out there.
 */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { build } from 'esbuild';
import { ROOT } from '../lib/server.js';

const PAGES = path.join(ROOT, 'e2e/clients/pages');

/** The libraries as their packages bring them, unchanged: `/npm/NAME`. */
export const LIBRARIES = {
  'sockjs-1.5.js': 'sockjs-client-1.5/dist/sockjs.min.js',
  'sockjs-1.6.js': 'sockjs-client/dist/sockjs.min.js',
  'stompjs-2.3.js': 'stompjs/lib/stomp.min.js',
  'stompjs-7.js': '@stomp/stompjs/bundles/stomp.umd.min.js',
  'simple-peer.js': 'simple-peer/simplepeer.min.js',
  'socket.io-2.js': 'socket.io-client-2/dist/socket.io.js',
  'socket.io-3.js': 'socket.io-client-3/dist/socket.io.min.js',
  'socket.io-4.js': 'socket.io-client/dist/socket.io.min.js',
  'react.js': 'react/umd/react.production.min.js',
  'react-dom.js': 'react-dom/umd/react-dom.production.min.js',
};

/** Libraries that are no scripts of their own: pages have them bundled, under a global name. */
const BUNDLES = { 'mediasoup-client.js': ['mediasoup-client', 'mediasoupClient'] };

/** @type {Map<string, Promise<Uint8Array>>} */
const bundled = new Map();

/** @param {string} name of BUNDLES */
function bundle(name) {
  const [module, globalName] = BUNDLES[/** @type {keyof BUNDLES} */ (name)];
  const made = build({
    stdin: { contents: `export * from '${module}'`, resolveDir: ROOT },
    bundle: true,
    format: 'iife',
    globalName,
    write: false,
  }).then(({ outputFiles }) => outputFiles[0].contents);
  bundled.set(name, made);
  return made;
}

/** @param {keyof LIBRARIES} name */
export const libraryFile = (name) => path.join(ROOT, 'node_modules', LIBRARIES[name]);

const KINDS = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

/**
 * The file behind a path, or null.
 * @param {string} where
 */
function find(where) {
  const [, folder, name = '', more] = where.split('/');
  if (more !== undefined) return null;
  if (folder === 'npm' && Object.hasOwn(LIBRARIES, name)) {
    return libraryFile(/** @type {keyof LIBRARIES} */ (name));
  }
  return folder === 'pages' && /^[\w-]+\.(html|js)$/.test(name) ? path.join(PAGES, name) : null;
}

export class Site {
  #server = createServer((request, response) => this.#answer(request, response));

  static async open() {
    const site = new Site();
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  get url() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `http://localhost:${port}`;
  }

  async close() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #answer(request, response) {
    const where = new URL(request.url ?? '/', this.url).pathname;
    const name = path.basename(where);
    const isBundle = path.dirname(where) === '/npm' && Object.hasOwn(BUNDLES, name);
    const file = isBundle ? name : find(where);
    const text = isBundle
      ? await (bundled.get(name) ?? bundle(name))
      : file && (await readFile(file).catch(() => null));
    const kind = KINDS[/** @type {keyof KINDS} */ (path.extname(file ?? ''))];
    response.writeHead(text ? 200 : 404, { 'content-type': kind ?? 'text/plain' });
    response.end(text ?? 'not found');
  }
}

/** A certificate of an authority that only those browsers know that are given a store with it. */

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

export class Certificate {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
  }

  /** @param {string} names `DNS:localhost`, `IP:192.0.2.1` */
  static async make(names) {
    const folder = await mkdtemp(path.join(tmpdir(), 'moim-e2e-certificate-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    /** @param {string} name @param {string[]} more */
    const request = (name, ...more) =>
      run('openssl', [
        ...['req', '-x509', ...KEY, '-subj', `/CN=${name} of a test`],
        ...['-keyout', path.join(folder, `${name}.key`), '-out', path.join(folder, `${name}.pem`)],
        ...more,
      ]);
    const authority = path.join(folder, 'authority');
    await request('authority');
    await request(
      'server',
      ...['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`],
      ...['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=CA:FALSE'],
    );
    return new Certificate(folder);
  }

  /** Of the server that has it. */
  get settings() {
    return {
      'https.cert': path.join(this.folder, 'server.pem'),
      'https.key': path.join(this.folder, 'server.key'),
    };
  }

  /** A new HOME in which Chromium trusts the authority. */
  async home() {
    const home = await mkdtemp(path.join(this.folder, 'home-'));
    await this.#store(path.join(home, '.pki/nssdb'));
    return home;
  }

  /** A new profile in which Firefox does. */
  async profile() {
    const profile = await mkdtemp(path.join(this.folder, 'profile-'));
    await this.#store(profile);
    return profile;
  }

  /** @param {string} folder */
  async #store(folder) {
    const store = ['-d', `sql:${folder}`];
    await mkdir(folder, { recursive: true });
    await run('certutil', ['-N', ...store, '--empty-password']);
    await run('certutil', [
      ...['-A', ...store, '-n', 'moim', '-t', 'C,,'],
      ...['-i', path.join(this.folder, 'authority.pem')],
    ]);
  }
}

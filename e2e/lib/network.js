/**
 * A network of its own: one public place, and homes behind NATs of the worst kind. Each place is a
 * network namespace without a name that lives as long as a process in it, and that process as long
 * as this one: however a test ends, nothing of it is left.
 *
 *     home (192.168.1.2) -- NAT (203.0.114.11) --+
 *                                                +-- public place (203.0.114.1)
 *     home (192.168.2.2) -- NAT (203.0.114.12) --+
 *
 * A symmetric NAT gives each flow a port by chance (nftables: `random,fully-random`), and lets
 * nothing in but answers: mappings and filters are "address and port-dependent" (RFC 4787).
 *
 * For root, and for users who may have user namespaces, which is Debian's way.
 */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
// Debian keeps ip and nft where only root's shell looks.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

const PROBE = `
  nft add table ip probe
  ip link add probe0 type veth peer name probe1`;

export const SERVER_ADDRESS = '203.0.114.1';

/** Why there can be no such network here; null: there can. */
export async function whyNoNetwork() {
  const first = isRoot ? [] : ['--user', '--map-root-user'];
  try {
    await run('unshare', [...first, '--net', 'sh', '-euc', PROBE], { env });
    return null;
  } catch (error) {
    const { stderr, message } = /** @type {any} */ (error);
    const line = (stderr || message).trim().split('\n')[0];
    return `needs network namespaces, as root or by user namespaces, and nftables: ${line}`;
  }
}

// An IPv6 address of an interface is not there at once, but a second or two after it is up, and to
// a browser that is another network: it gives up the page that it is loading.
const IPV4_ALONE = `
  for on in all default; do
    [ ! -d /proc/sys/net/ipv6 ] || echo 1 > /proc/sys/net/ipv6/conf/$on/disable_ipv6
  done`;

/** A namespace. */
class Place {
  /** @param {import('node:child_process').ChildProcess} holder */
  constructor(holder) {
    this.holder = holder;
  }

  /** @param {Place} [within] as a user: the first, who owns the others */
  static async make(within) {
    const first = isRoot ? [] : ['--user', '--map-root-user'];
    const [command, ...words] = [
      ...(within && !isRoot ? within.enter() : []),
      ...['unshare', ...(within ? [] : first), '--net', 'sh', '-c', 'echo; exec cat'],
    ];
    // It reads what is never written, until the pipe breaks.
    const holder = spawn(command, words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')]);
    assert.equal(holder.exitCode, null, 'a namespace is there');
    const place = new Place(holder);
    await place.sh(IPV4_ALONE);
    return place;
  }

  /** The words before a command that is to run there, and to end with us. */
  enter() {
    const user = isRoot ? [] : ['--user', '--preserve-credentials'];
    return [
      ...['nsenter', '--target', String(this.holder.pid), '--net', ...user],
      ...['setpriv', '--pdeathsig', 'KILL'],
    ];
  }

  /** @param {string} script of a shell */
  async sh(script) {
    const [command, ...words] = this.enter();
    await run(command, [...words, 'sh', '-euc', script], { env });
  }

  async close() {
    const gone = once(this.holder, 'exit');
    this.holder.stdin?.end();
    await gone;
  }
}

/**
 * @typedef {object} Strictness
 * @property {boolean} [symmetric] false: a flow keeps its port, so that others can meet it there
 * @property {string} [lets] what gets out, as nftables says it: all, if nothing is said
 */

/** @param {Strictness} strictness */
function nat({ symmetric = true, lets = '' }) {
  return `nft -f - <<'end'
flush ruleset
table ip home {
  chain leaving {
    type nat hook postrouting priority srcnat;
    oifname "wan" masquerade ${symmetric ? 'random,fully-random' : ''}
  }
  chain passing {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "lan" ${lets} accept
  }
  chain entering {
    type filter hook input priority filter; policy drop;
    iifname "lan" accept
  }
}
end`;
}

/** A browser's place, and the NAT before it. */
class Home {
  /** @param {Place} place @param {Place} router */
  constructor(place, router) {
    this.place = place;
    this.router = router;
  }

  /**
   * The NAT is another from now on; but flows that it knows go on.
   * @param {Strictness} strictness
   */
  be(strictness) {
    return this.router.sh(nat(strictness));
  }
}

export class Network {
  /** @type {Home[]} */
  homes = [];

  /** @param {Place} hub */
  constructor(hub) {
    this.hub = hub;
  }

  /** @param {number} homes */
  static async build(homes) {
    const network = new Network(await Place.make());
    try {
      await network.hub.sh(`
        ip link set lo up
        ip link add hub type bridge
        ip address add ${SERVER_ADDRESS}/24 dev hub
        ip link set hub up`);
      for (let i = 1; i <= homes; i += 1) await network.#settle(i);
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** @param {number} i */
  async #settle(i) {
    const router = await Place.make(this.hub);
    const place = await Place.make(this.hub);
    const home = new Home(place, router);
    this.homes.push(home);
    await this.hub.sh(`
      ip link add home${i} type veth peer name wan netns ${router.holder.pid}
      ip link set home${i} master hub up`);
    await router.sh(`
      ip link add lan type veth peer name eth0 netns ${place.holder.pid}
      ip address add 203.0.114.${10 + i}/24 dev wan
      ip address add 192.168.${i}.1/24 dev lan
      ip link set wan up
      ip link set lan up
      echo 1 > /proc/sys/net/ipv4/ip_forward`);
    await place.sh(`
      ip address add 192.168.${i}.2/24 dev eth0
      ip link set lo up
      ip link set eth0 up
      ip route add default via 192.168.${i}.1`);
    await home.be({});
  }

  async close() {
    const places = this.homes.flatMap(({ place, router }) => [place, router]);
    await Promise.all([...places, this.hub].map((place) => place.close()));
  }
}

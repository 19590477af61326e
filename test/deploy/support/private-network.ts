/**
 * A network as Docker makes one for a project: each container has an address of its own in it, and all ports free. It
 * is made of network namespaces and ends with the processes that hold them; nobody but this machine reaches it.
 */
import { randomInt } from 'node:crypto';
import { readlink } from 'node:fs/promises';
import { ChildProcess, eventually, programVersion, runProgram } from '@graph2kafka/test-harness';

export type Place = {
  readonly address: string;
  /** Put in front of a command, they have it run there. */
  readonly into: readonly string[];
};

// Set apart for tests between devices (RFC 2544), so that no other network is hidden by it.
const RANGE = '198.18';
const OWN_ADDRESS = 254;

export class PrivateNetwork {
  readonly #subnet: string;
  readonly #holders: ChildProcess[];
  #members = 0;

  static async start(): Promise<PrivateNetwork> {
    const bridge = await holdNamespace();
    const network = new PrivateNetwork(`${RANGE}.${randomInt(256)}`, bridge);
    await ipIn(bridge.pid, 'link', 'add', 'bridge0', 'type', 'bridge');
    await ipIn(bridge.pid, 'link', 'set', 'bridge0', 'up');
    // The way in for this machine.
    const ours = `g2k${bridge.pid}`;
    await ipIn(bridge.pid, ...pair('ours', ours, process.pid));
    await ipIn(bridge.pid, 'link', 'set', 'ours', 'master', 'bridge0', 'up');
    await runProgram('ip', ['address', 'add', `${network.#subnet}.${OWN_ADDRESS}/24`, 'dev', ours]);
    await runProgram('ip', ['link', 'set', ours, 'up']);
    return network;
  }

  private constructor(subnet: string, bridge: ChildProcess) {
    this.#subnet = subnet;
    this.#holders = [bridge];
  }

  /** A further address, with all ports free. */
  async join(): Promise<Place> {
    const [bridge] = this.#holders as [ChildProcess];
    const member = await holdNamespace();
    this.#holders.push(member);
    const number = ++this.#members;
    const address = `${this.#subnet}.${number}`;
    await ipIn(bridge.pid, ...pair(`port${number}`, 'eth0', member.pid));
    await ipIn(bridge.pid, 'link', 'set', `port${number}`, 'master', 'bridge0', 'up');
    await ipIn(member.pid, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    await ipIn(member.pid, 'link', 'set', 'lo', 'up');
    await ipIn(member.pid, 'link', 'set', 'eth0', 'up');
    return { address, into: namespaceOf(member.pid) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#holders.map((holder) => holder.kill9()));
  }
}

/** Why this machine lets us make none; undefined where it does. */
export async function whyNoNetwork(): Promise<string | undefined> {
  if (!(await programVersion('ip', ['-Version']))) return 'there is no ip (iproute2) on PATH';
  const trial =
    'ip link add bridge0 type bridge && ip link add port0 type veth peer name port1 && echo works';
  const works = await programVersion('unshare', ['--net', 'sh', '-c', trial]);
  return works === 'works' ? undefined : 'the kernel gives no network namespaces with a bridge';
}

/** A process that does nothing but be in a new one. */
async function holdNamespace(): Promise<ChildProcess> {
  const holder = await ChildProcess.start({
    name: 'network namespace',
    command: 'unshare',
    arguments: ['--net', '--', 'sleep', 'infinity'],
  });
  const own = await readlink('/proc/self/ns/net');
  await eventually(async () => (await readlink(`/proc/${holder.pid}/ns/net`)) !== own);
  return holder;
}

const namespaceOf = (pid: number) => ['nsenter', `--net=/proc/${pid}/ns/net`, '--'] as const;

/** A cable with two ends, one of them in the namespace of a process. */
const pair = (here: string, there: string, pid: number) =>
  ['link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', String(pid)] as const;

async function ipIn(pid: number, ...words: string[]): Promise<void> {
  const [command, ...rest] = [...namespaceOf(pid), 'ip', ...words];
  await runProgram(command as string, rest);
}

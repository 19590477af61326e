/**
 * A container of one of our images, run by buildah: its root folder read-only and its program without any right, as
 * docker-compose.yml and the other manifests demand it. Its program is an ordinary process of this machine.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import {
  ChildProcess,
  type ChildProcessOptions,
  type Exit,
  eventually,
  runProgram,
} from '@graph2kafka/test-harness';
import { inspectImage } from './image-config.ts';

export type Mount = { readonly source: string; readonly target: string; readonly readOnly?: boolean };

export type ContainerOptions = {
  readonly image: string;
  /** Put behind the entry point of the image. */
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly mounts?: readonly Mount[];
  /** Words put in front of the builder's, which take it into a network. Default: this machine's. */
  readonly into?: readonly string[];
  readonly onLine?: ChildProcessOptions['onLine'];
};

// Docker's patience between SIGTERM and SIGKILL.
const GRACE_MS = 10_000;

/** As `read_only`, `cap_drop: [ALL]` and `no-new-privileges` of Compose; $0 is the user. */
const CONFINED = `mount -o remount,bind,ro / && exec setpriv --reuid "$0" --regid "$0" --clear-groups \
  --inh-caps=-all --bounding-set=-all --no-new-privs -- "$@"`;

export class Container {
  readonly process: ChildProcess;
  readonly #id: string;
  readonly #options: ContainerOptions;
  readonly #user: string;
  #removed: Promise<unknown> | undefined;

  static async start(options: ContainerOptions): Promise<Container> {
    const { Entrypoint, User } = (await inspectImage(options.image)).OCIv1.config;
    const { stdout } = await runProgram('buildah', ['from', '--pull-never', options.image]);
    const id = stdout.trim();
    const program = [...Entrypoint, ...(options.command ?? [])];
    const [command, ...rest] = runCommand(id, User, options, program);
    const { image: name, onLine } = options;
    const process = await ChildProcess.start({ name, command, arguments: rest, ...(onLine && { onLine }) });
    return new Container(process, id, User, options);
  }

  private constructor(process: ChildProcess, id: string, user: string, options: ContainerOptions) {
    this.process = process;
    this.#id = id;
    this.#user = user;
    this.#options = options;
  }

  /** Runs one more program in it, as `docker compose exec` and health checks do. @throws where it fails */
  async exec(program: readonly string[]): Promise<string> {
    const [command, ...rest] = runCommand(this.#id, this.#user, this.#options, program);
    return (await runProgram(command, rest, { timeoutMs: 30_000 })).stdout;
  }

  /** SIGTERM to the program, as `docker stop` sends it; resolves to how it ended. */
  async stop(): Promise<Exit> {
    if (this.process.hasExited) return this.process.exited;
    process.kill(await this.pid(), 'SIGTERM');
    const impatience = setTimeout(() => void this.#kill(), GRACE_MS);
    const exit = await this.process.exited;
    clearTimeout(impatience);
    return exit;
  }

  /** Of the program itself: the builder's processes stand between. */
  async pid(): Promise<number> {
    return eventually(async () => {
      const pids = await descendantsOf(this.process.pid);
      const programs = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/exe`).catch(() => '')));
      return pids[programs.findIndex((program) => program.endsWith('/bin/node'))] ?? 0;
    });
  }

  /** Ends it if need be, and removes what it left; safe to call twice. */
  async remove(): Promise<void> {
    this.#removed ??= this.stop()
      .catch(() => this.#kill())
      .then(() => runProgram('buildah', ['rm', this.#id]));
    await this.#removed;
  }

  async #kill(): Promise<void> {
    for (const pid of await descendantsOf(this.process.pid)) process.kill(pid, 'SIGKILL');
    await this.process.kill9();
  }
}

function runCommand(
  id: string,
  user: string,
  { environment = {}, mounts = [], into = [] }: ContainerOptions,
  program: readonly string[],
): readonly [string, ...string[]] {
  // As Docker sets it for a user.
  const variables = Object.entries({ HOME: `/home/${user}`, ...environment });
  const words = [
    ...into,
    'buildah',
    'run',
    // Its own would hide ours, or not: their order is by chance.
    ...(mounts.some(({ target }) => target === '/etc/hosts') ? ['--no-hosts'] : []),
    ...['--user', 'root', '--cap-add', 'CAP_SYS_ADMIN'],
    ...variables.flatMap(([name, value]) => (value === undefined ? [] : ['--env', `${name}=${value}`])),
    ...mounts.flatMap(({ source, target, readOnly }) => [
      '--volume',
      `${source}:${target}${readOnly ? ':ro' : ''}`,
    ]),
    id,
    ...['--', 'sh', '-c', CONFINED, user],
    ...program,
  ];
  return words as [string, ...string[]];
}

/** Children, their children, and so on. */
async function descendantsOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

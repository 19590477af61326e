/**
 * A service as a platform runs it: started again when it dies. Its lives share one plan of stage faults; one that stops
 * itself is continued after a while.
 */
import type { Service } from '@graph2kafka/test-harness';
import type { Observations } from './observations.ts';
import { planOfLife, type TestBuild, testBuildEnvironment } from './test-build.ts';

export type SupervisedOptions = {
  readonly name: string;
  readonly build: TestBuild;
  /** Longer than lock and lease, or a stop proves nothing; without it a stop lasts until `continueStopped`. */
  readonly stopMs: number | undefined;
  readonly observations: Observations;
  /** Resolves when the service listens. */
  readonly launch: (
    environment: Readonly<Record<string, string>>,
    onLine: (line: string) => void,
  ) => Promise<Service>;
};

/** Platforms wait before they start a process that died; short, so that the fault is not hidden by the pause. */
const RESTART_AFTER_MS = 100;

export class SupervisedService {
  readonly name: string;
  /** How often it was started. */
  lives = 0;
  readonly #options: SupervisedOptions;
  readonly #stopped = new Map<number, NodeJS.Timeout | undefined>();
  #service: Service | undefined;
  #struck = 0;
  #isClosing = false;
  #isAsked = false;
  #starting: Promise<void>;
  #failure: unknown;

  /** Starts it at once; `running` says when it listens. */
  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
    options.observations.onStrike(({ service, struck, pid }) => {
      if (service !== this.name) return;
      this.#struck++;
      if (struck === 'stop') this.#continueLater(pid);
    });
    this.#starting = this.#begin();
  }

  /** The process that lives now; @throws while there is none */
  get service(): Service {
    if (!this.#service) throw new Error(`${this.name} is not running`);
    return this.#service;
  }

  /** Faults of its plan that have not struck yet. */
  get planLeft(): number {
    return (this.#options.build.plan?.length ?? 0) - this.#struck;
  }

  /** Resolves when it listens, in this life or the next. @throws when it could not be started */
  async running(): Promise<Service> {
    await this.#starting;
    if (this.#failure) throw this.#failure;
    return this.service;
  }

  async kill9(): Promise<void> {
    await (await this.running()).process.kill9();
  }

  /** SIGTERM, as a deployment does it; the next life begins at once. */
  async terminate(): Promise<void> {
    const { process } = await this.running();
    this.#isAsked = true;
    await process.stop();
  }

  async freeze(): Promise<() => void> {
    const { process } = await this.running();
    process.freeze();
    return () => process.thaw();
  }

  /** SIGCONT to whatever has stopped itself. */
  continueStopped(): void {
    for (const pid of this.#stopped.keys()) this.#continue(pid);
  }

  /** Ends it for good. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.continueStopped();
    await this.#starting;
    await this.#service?.process.stop();
  }

  async #begin(): Promise<void> {
    const { build, launch, observations } = this.#options;
    while (!this.#isClosing) {
      const struckBefore = this.#struck;
      this.lives++;
      const environment = testBuildEnvironment({
        ...build,
        plan: planOfLife(build.plan ?? [], this.#struck),
      });
      try {
        const service = await launch(environment, (line) => observations.note(this.name, line));
        this.#service = service;
        void service.process.exited.then((exit) => {
          observations.noteExit(this.name, exit, this.#isAsked || this.#isClosing);
          this.#isAsked = false;
          this.#beginAgain();
        });
        return;
      } catch (error) {
        // A fault of the plan may have struck before the service was seen to listen.
        if (this.#struck > struckBefore) continue;
        this.#failure = error;
        observations.crashes.push(`${this.name} could not be started: ${String(error)}`);
        return;
      }
    }
  }

  #beginAgain(): void {
    this.#service = undefined;
    if (this.#isClosing) return;
    this.#starting = new Promise<void>((resolve) => {
      setTimeout(resolve, RESTART_AFTER_MS);
    }).then(() => this.#begin());
  }

  #continueLater(pid: number): void {
    const { stopMs } = this.#options;
    this.#stopped.set(pid, stopMs === undefined ? undefined : setTimeout(() => this.#continue(pid), stopMs));
  }

  #continue(pid: number): void {
    clearTimeout(this.#stopped.get(pid));
    this.#stopped.delete(pid);
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It was killed while it stood still.
    }
  }
}

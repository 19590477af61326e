/** What the processes of a run have said, with the time at which the harness heard it. */
import type { Exit } from '@graph2kafka/test-harness';
import { readStruckFault, type StruckFault } from './build/stage-faults.ts';

export type LoggedLine = {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly service: string;
  /** `record.published` */
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

export type ObservedStrike = StruckFault & { readonly heardAt: number; readonly service: string };

export class Observations {
  readonly logged: LoggedLine[] = [];
  readonly strikes: ObservedStrike[] = [];
  /** Processes that ended by themselves: neither killed nor asked to. */
  readonly crashes: string[] = [];
  /** Of services that found Redis set so that it loses what it confirms. */
  refusedStarts = 0;
  /** Lines that are neither: stack traces, warnings of Node. */
  readonly strays: string[] = [];
  readonly #listeners = new Set<(strike: ObservedStrike) => void>();

  note(service: string, line: string): void {
    const struck = readStruckFault(line);
    if (struck) {
      const strike = { ...struck, heardAt: Date.now(), service };
      this.strikes.push(strike);
      for (const listener of this.#listeners) listener(strike);
      return;
    }
    const fields = readJson(line);
    if (typeof fields?.message !== 'string') this.strays.push(`${service}: ${line}`);
    else this.logged.push({ at: Date.now(), service, name: fields.message, fields });
  }

  /** @param isAsked whether it was told to end: then a slow part may be cut off, which makes the code 1 */
  noteExit(service: string, { code, signal }: Exit, isAsked: boolean): void {
    if (signal === 'SIGKILL' || code === 0 || isAsked) return;
    const last = this.logged.findLast((line) => line.service === service && line.name === 'service.failed');
    const { message } = (last?.fields.err ?? {}) as { message?: unknown };
    // An operator's mistake that a fault plays: refusing to start is what the product promises.
    if (/redis-cli config set/.test(String(message))) this.refusedStarts++;
    else
      this.crashes.push(
        `${service} ended by ${signal ?? `code ${code}`}: ${message ?? 'it does not say why'}`,
      );
  }

  onStrike(listener: (strike: ObservedStrike) => void): void {
    this.#listeners.add(listener);
  }

  /** Lines of this name heard within the time, ends included. */
  between(name: string, fromMs: number, toMs: number): LoggedLine[] {
    return this.logged.filter((line) => line.name === name && line.at >= fromMs && line.at <= toMs);
  }

  /** The first line of this name from then on. */
  firstAfter(name: string, fromMs: number, fits: (line: LoggedLine) => boolean = () => true) {
    return this.logged.find((line) => line.name === name && line.at >= fromMs && fits(line));
  }
}

function readJson(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // A line that its writer was killed in.
    return undefined;
  }
}

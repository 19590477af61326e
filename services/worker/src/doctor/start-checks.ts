/**
 * The doctor in short, at a worker's start: what its settings tell, and the clock of Graph's first answer. Asks nobody
 * anything that the start does not ask anyway; what stops the start is an error of the start itself.
 */
import { channel } from 'node:diagnostics_channel';
import type { WorkerConfig } from '../config.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import { endpointsOf } from '../tenants/clouds.ts';
import { judgeSkew, skewOf } from './clock-skew.ts';
import { type CheckName, isProblem, type Problem } from './finding.ts';
import { judgeQuotas } from './quotas.ts';
import { isMicrosofts, judgeSettings } from './settings-check.ts';
import { judgeUrlForm, notificationUrlsOf } from './url-form.ts';

export type StartProblem = Problem & { readonly check: CheckName };

export type StartChecksDeps = {
  readonly config: WorkerConfig;
  readonly wishes: readonly Wish[];
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told of each warning and error; of the clock when Graph has answered. */
  readonly onProblem: (problem: StartProblem) => void;
};

export type StartChecks = {
  run(): void;
  /** Waits for no answer of Graph any more. */
  close(): void;
};

export function createStartChecks({ config, wishes, now, onProblem }: StartChecksDeps): StartChecks {
  const { graphUrl } = endpointsOf(config);
  const tell = (check: CheckName, problems: readonly Problem[]) => {
    for (const problem of problems) onProblem({ check, ...problem });
  };
  const watch = watchFirstAnswer(graphUrl, (date) => {
    const skew = skewOf(date, now(), now());
    if (skew !== undefined) tell('graph', judgeSkew(skew));
  });
  return {
    run() {
      tell('settings', judgeSettings({ part: () => config as never }));
      tell('subscriptions', judgeQuotas(wishes).filter(isProblem));
      const onInternet = isMicrosofts(graphUrl);
      for (const url of notificationUrlsOf(config)) tell('public-url', judgeUrlForm(url, onInternet));
      watch.begin();
    },
    close: watch.end,
  };
}

type AnswerBegun = {
  readonly request?: { readonly origin?: unknown };
  readonly response?: { readonly headers?: readonly unknown[] };
};

/** What undici tells of every answer in this process (its diagnostics channels); only Graph's first is looked at. */
function watchFirstAnswer(graphUrl: string, onDate: (date: string) => void) {
  const headers = channel('undici:request:headers');
  const { origin } = new URL(graphUrl);
  const look = (message: unknown) => {
    const { request, response } = message as AnswerBegun;
    if (String(request?.origin) !== origin) return;
    const date = dateOf(response?.headers ?? []);
    if (date === undefined) return;
    end();
    onDate(date);
  };
  const end = () => void headers.unsubscribe(look);
  return { begin: () => headers.subscribe(look), end };
}

/** Names and values by turns, as bytes. */
function dateOf(headers: readonly unknown[]): string | undefined {
  const at = headers.findIndex((each, n) => n % 2 === 0 && String(each).toLowerCase() === 'date');
  return at < 0 ? undefined : String(headers[at + 1]);
}

/**
 * Collects GETs that come within a few milliseconds of each other, of whatever mailboxes, into one `POST /$batch`.
 *
 * A request joins those that wait to be sent, and never one that is under way: what it reads is as of after it was
 * asked. Nothing is tried again here, since who asked knows how often and when; but a batch that was refused as a whole
 * tells nothing of its parts, which are then asked for one by one.
 */
import { type PartAnswer, readBatchAnswer } from './batch-answer.ts';
import { BATCH_PATH, type GraphAnswer, type GraphRequest, type GraphRequests } from './graph-client.ts';
import { GraphError, type GraphFailure } from './graph-error.ts';
import { batchUrl } from './graph-url.ts';

export type Batching = {
  /** How long a request waits for others. */
  readonly waitMs: number;
  /** Most parts of a batch that are of Outlook. */
  readonly outlookParts: number;
  /** A batch was answered as if it were none; its parts are asked for one by one. */
  readonly onRefused: (error: GraphError) => void;
};

/** Graph takes no more (Graph: json-batching, "Batch size limitations"). */
const MOST_PARTS = 20;

type Asked = {
  readonly request: GraphRequest;
  /** As a part names it. */
  readonly url: string;
  readonly resolve: (answer: GraphAnswer | Promise<GraphAnswer>) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Graph works four of them at once in a batch, whatever their mailboxes, where single ones meet no such limit (Graph:
 * throttling-limits, "JSON batching"): each four more make the whole batch later by one answer.
 */
const OUTLOOK = /^\/(users|groups)\/[^/]+\/(calendar|event|message|mailFolder|contact|conversation|thread)/i;

/** Other requests than GETs, and those that come alone, are sent as they are. */
export function createBatchedRequests(
  client: GraphRequests,
  { waitMs, outlookParts, onRefused }: Batching,
): GraphRequests {
  let waiting: Asked[] = [];
  let timer: NodeJS.Timeout | undefined;

  function send(): void {
    clearTimeout(timer);
    timer = undefined;
    const asked = waiting;
    waiting = [];
    if (asked.length === 1) askAlone(client, asked);
    else askTogether(client, asked, onRefused).catch((error: unknown) => rejectAll(asked, error));
  }

  return {
    request(request) {
      if (request.method !== 'GET') return client.request(request);
      const url = batchUrl(request);
      // The client says why it is refused.
      if (url === undefined) return client.request(request);
      return new Promise((resolve, reject) => {
        waiting.push({ request, url, resolve, reject });
        const ofOutlook = waiting.filter((asked) => OUTLOOK.test(asked.url)).length;
        if (waiting.length === MOST_PARTS || ofOutlook === outlookParts) send();
        else timer ??= setTimeout(send, waitMs);
      });
    },
  };
}

function askAlone(client: GraphRequests, asked: readonly Asked[]): void {
  for (const { request, resolve } of asked) resolve(client.request(request));
}

async function askTogether(
  client: GraphRequests,
  asked: readonly Asked[],
  onRefused: (error: GraphError) => void,
): Promise<void> {
  try {
    const { parts, readAt } = await sendBatch(client, asked);
    for (const [index, part] of parts.entries()) {
      const one = asked[index] as Asked;
      if (part.ok) one.resolve({ status: part.status, body: part.body, readAt });
      // By itself it goes the way of every request whose token is refused: once more, with a fresh one.
      else if (part.failure.kind === 'unauthorized') askAlone(client, [one]);
      else one.reject(new GraphError(part.failure));
    }
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const failure = failureOfParts(error.failure);
    if (failure) return rejectAll(asked, new GraphError(failure, { cause: error }));
    onRefused(error);
    askAlone(client, asked);
  }
}

/** The answers of the parts, in their order. */
async function sendBatch(
  client: GraphRequests,
  asked: readonly Asked[],
): Promise<{ readonly parts: readonly PartAnswer[]; readonly readAt: number }> {
  const requests = asked.map(({ request: { method, headers }, url }, index) => {
    return { id: String(index + 1), method, url, ...(headers && { headers }) };
  });
  const { body, readAt } = await client.request({ method: 'POST', path: BATCH_PATH, body: { requests } });
  const ids = requests.map(({ id }) => id);
  const parts = readBatchAnswer(body, ids, Date.now());
  if (!parts) throw new GraphError({ kind: 'unusable', detail: 'the answer is none of a batch' });
  return { parts, readAt };
}

/**
 * What a failed batch means for each of its parts; `undefined` where it means nothing: a batch that is "not found" or
 * "forbidden" is not what its parts ask for, and one whose answer is too large may have parts that are not.
 */
function failureOfParts(failure: GraphFailure): GraphFailure | undefined {
  switch (failure.kind) {
    case 'throttled':
      // Mailboxes are throttled part by part.
      return { ...failure, scope: 'app' };
    case 'transient':
    case 'unauthorized':
      return failure;
    case 'forbidden':
    case 'notFound':
    case 'gone':
    case 'rejected':
    case 'unusable':
      return undefined;
  }
}

function rejectAll(asked: readonly Asked[], error: unknown): void {
  for (const { reject } of asked) reject(error);
}

// What Graph demands of a batch, decided without side effects (Graph page "Combine multiple requests in one HTTP call").
import { GraphError, type JsonObject } from './graph-exchange.ts';

/** A part that has passed the rules. */
export interface BatchPart {
  readonly id: string;
  readonly method: string;
  /** Begins with '/'. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Ids as the other parts write them. */
  readonly dependsOn: readonly string[];
}

const MAX_PARTS = 20;
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

const invalid = (text: string) => new GraphError(400, 'BadRequest', text);

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function headersOf(given: unknown, id: string): Record<string, string> {
  if (given === undefined || given === null) return {};
  if (!isObject(given)) throw invalid(`The headers of request id : ${id} are not valid.`);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

/** Scheme and host belong to the batch: a part names what is below the version, with or without a slash before it. */
function relativeUrl(given: unknown, id: string): string {
  if (typeof given !== 'string' || given === '') throw invalid(`Request id : ${id} does not contain a url.`);
  if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(given)) {
    throw invalid(`The url of request id : ${id} must be relative.`);
  }
  return given.startsWith('/') ? given : `/${given}`;
}

function dependenciesOf(given: unknown, id: string): string[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given;
  throw invalid(`The dependsOn of request id : ${id} is not valid.`);
}

function partOf(given: unknown): BatchPart {
  if (!isObject(given) || typeof given.id !== 'string' || given.id === '') {
    throw invalid('Each request of a batch needs an id.');
  }
  const { id, body } = given;
  const method = String(given.method ?? '').toUpperCase();
  if (!METHODS.has(method)) throw invalid(`The method of request id : ${id} is not valid.`);
  const headers = headersOf(given.headers, id);
  const url = relativeUrl(given.url, id);
  if (body !== undefined && body !== null && headers['content-type'] === undefined) {
    throw invalid(`Write request id : ${id} does not contain Content-Type header or body.`);
  }
  return { id, method, url, headers, body, dependsOn: dependenciesOf(given.dependsOn, id) };
}

/** A part can wait for such as stand before it, so that there is no circle. */
function checkDependencies(parts: readonly BatchPart[]): void {
  const earlier = new Set<string>();
  for (const { id, dependsOn } of parts) {
    const unknown = dependsOn.find((one) => !earlier.has(one));
    if (unknown !== undefined) {
      throw invalid(`Request id : ${id} depends on '${unknown}', which does not stand before it.`);
    }
    earlier.add(id);
  }
}

/** @throws {GraphError} 400 for the first rule that is broken */
export function readBatch(body: unknown): BatchPart[] {
  const requests = isObject(body) ? body.requests : undefined;
  if (!Array.isArray(requests)) throw invalid('Invalid batch payload format.');
  if (requests.length > MAX_PARTS) {
    throw invalid(`Number of batch request steps exceeds the maximum value of ${MAX_PARTS}.`);
  }
  const parts = requests.map(partOf);
  // Ids are compared without case, though answers repeat them as they were written.
  if (new Set(parts.map(({ id }) => id.toLowerCase())).size < parts.length) {
    throw invalid('Every request of a batch needs an id of its own.');
  }
  checkDependencies(parts);
  return parts;
}

/** The body of a request, inflated, within its limits; what is over them is neither kept nor waited for. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Response } from 'express';
import type { LoadBounds, Visit } from './load-bounds.ts';
import type { RefusalCode } from './refusals.ts';

export type BodyRead =
  | { readonly ok: true; readonly bytes: Buffer; readonly visit: Visit }
  | { readonly ok: false; readonly code: RefusalCode };

const inflaters = new Map([
  ['gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** Whoever reads an `ok` body has to `leave` its visit once the request is answered. */
export async function readBody(
  request: IncomingMessage,
  response: Response,
  bounds: LoadBounds,
  maxBodyBytes: number,
): Promise<BodyRead> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes)
    return { ok: false, code: 'body-too-large' };
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  const createInflater = inflaters.get(encoding);
  if (!createInflater && encoding !== 'identity') return { ok: false, code: 'content-encoding' };
  const cut = Promise.withResolvers<RefusalCode>();
  const visit = bounds.enter(() => cut.resolve('busy'));
  if (!visit) return { ok: false, code: 'busy' };
  // Whoever asks first gets every refusal above before it sends anything.
  if (request.headers.expect !== undefined) response.writeContinue();
  const source = createInflater ? createInflater() : request;
  const collected = await Promise.race([cut.promise, collect(request, source, visit, maxBodyBytes)]);
  if (typeof collected !== 'string') {
    if (visit.received()) return { ok: true, bytes: collected, visit };
  } else if (source !== request) {
    request.unpipe();
    source.destroy();
  }
  request.removeAllListeners('data');
  visit.leave();
  return { ok: false, code: typeof collected === 'string' ? collected : 'busy' };
}

function collect(
  request: IncomingMessage,
  source: Readable,
  visit: Visit,
  maxBodyBytes: number,
): Promise<Buffer | RefusalCode> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve } = Promise.withResolvers<Buffer | RefusalCode>();
  source.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBodyBytes) resolve('body-too-large');
    else if (!visit.add(chunk.length)) resolve('busy');
    else chunks.push(chunk);
  });
  source.once('end', () => resolve(Buffer.concat(chunks, size)));
  source.on('error', () => resolve(source === request ? 'body-cut-off' : 'body-not-inflatable'));
  if (source === request) request.once('close', () => resolve('body-cut-off'));
  else {
    request.on('error', () => resolve('body-cut-off'));
    request.once('close', () => request.complete || resolve('body-cut-off'));
    request.pipe(source as Readable & NodeJS.WritableStream);
  }
  return promise;
}

/** Requests whose line or headers are the trouble: types, charsets, encodings, methods, paths. */
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { changed, collection } from '../graph-posts.ts';
import { type HostileCase, JSON_TYPE, type Post, refused, storing } from '../hostile-case.ts';

const good = collection(changed());
const typed = (...types: string[]): Post => ({
  headers: types.map((type) => ['Content-Type', type] as const),
  body: good,
});
const encoded = (encoding: string, body: Buffer | string): Post => ({
  headers: [JSON_TYPE, ['Content-Encoding', encoding]],
  body,
});

const goodTypes = [
  'application/json',
  'Application/JSON',
  'application/json;charset=utf8',
  'application/json; charset="UTF-8"',
  'application/json; odata.metadata=minimal; charset=utf-8',
  ' application/json ',
];

const badTypes = [
  'text/plain',
  'text/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json-patch+json',
  'application/cloudevents+json',
  'application/jsonx',
  'json',
  ';;;',
  'application/json, text/plain',
  'application/json; charset=utf-7',
  'application/json; charset=utf-16',
  'application/json; charset=utf-16le',
  'application/json; charset=utf-32',
  'application/json; charset=iso-8859-1',
  'application/json; charset=windows-1252',
  'application/json; charset=us-ascii',
  'application/json; charset=utf-81',
  'application/json; charset=utf-16; charset=utf-8',
  'application/json; charset=x-user-defined',
];

const types = [
  ...goodTypes.map((type) => storing(`type ${type}`, typed(type))),
  ...badTypes.map((type) => refused(`type ${type}`, typed(type), 415, 'content-type')),
  refused('no type', { headers: [], body: good }, 415, 'content-type'),
  refused('an empty type', typed(''), 415, 'content-type'),
  refused('two types, the good one first', typed('application/json', 'text/plain'), 415, 'content-type'),
  refused('two types, the good one last', typed('text/plain', 'application/json'), 415, 'content-type'),
];

/** 60 MB of JSON that compress to some 60 kB. */
const bomb = `{"value":["${'x'.repeat(60_000_000)}"]}`;
const bombOfItems = `{"value":[${'{},'.repeat(15_000_000)}{}]}`;
const brotliFast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

const encodings = [
  storing('gzip', encoded('gzip', gzipSync(good))),
  storing('GZIP', encoded('GZIP', gzipSync(good))),
  storing('deflate', encoded('deflate', deflateSync(good))),
  storing('br', encoded('br', brotliCompressSync(good))),
  storing('identity', encoded('identity', good)),
  ...['compress', 'x-gzip', 'zstd', 'gzip, gzip', 'identity, gzip', 'gzip;q=1', '*', 'none'].map((encoding) =>
    refused(`encoding ${encoding}`, encoded(encoding, gzipSync(good)), 415, 'content-encoding'),
  ),
  refused(
    'two encodings in two lines',
    {
      headers: [JSON_TYPE, ['Content-Encoding', 'gzip'], ['Content-Encoding', 'gzip']],
      body: gzipSync(gzipSync(good)),
    },
    415,
    'content-encoding',
  ),
  refused('gzip that is no gzip', encoded('gzip', good), 400, 'body-not-inflatable'),
  refused(
    'gzip that is cut short',
    encoded('gzip', gzipSync(good).subarray(0, -9)),
    400,
    'body-not-inflatable',
  ),
  refused('gzip with a wrong checksum', encoded('gzip', wrongChecksum()), 400, 'body-not-inflatable'),
  refused('deflate that is gzip', encoded('deflate', gzipSync(good)), 400, 'body-not-inflatable'),
  refused('deflate without its header', encoded('deflate', deflateRawSync(good)), 400, 'body-not-inflatable'),
  refused('br that is no br', encoded('br', good), 400, 'body-not-inflatable'),
  refused('an empty body called gzip', encoded('gzip', ''), 400, 'body-not-inflatable'),
  refused('gzip of nothing', encoded('gzip', gzipSync('')), 400, 'body-empty'),
  refused('gzip that is not declared', { body: gzipSync(good) }, 400, 'not-utf8'),
  refused('gzip of gzip', encoded('gzip', gzipSync(gzipSync(good))), 400, 'not-utf8'),
  refused('a gzip bomb of 60 MB', encoded('gzip', gzipSync(bomb)), 413, 'body-too-large'),
  refused('a gzip bomb of 15 million items', encoded('gzip', gzipSync(bombOfItems)), 413, 'body-too-large'),
  refused('a deflate bomb', encoded('deflate', deflateSync(bomb)), 413, 'body-too-large'),
  refused('a brotli bomb', encoded('br', brotliCompressSync(bomb, brotliFast)), 413, 'body-too-large'),
];

function wrongChecksum(): Buffer {
  const bytes = gzipSync(good);
  const at = bytes.length - 8;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
}

const methods = [
  ...['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'].map((method) =>
    refused(`method ${method}`, { method }, 405, method === 'HEAD' ? '' : 'only-post'),
  ),
  refused('GET with a token', { method: 'GET', target: '/events?validationToken=a' }, 405, 'only-post'),
  refused('PUT of notifications', { method: 'PUT', body: good }, 405, 'only-post'),
  ...[
    '/',
    '//events',
    '/events/x',
    '/events%2f',
    '/%65vents%00',
    '/../etc/passwd',
    '/%2e%2e/events',
    '/%zz',
    '/event',
    '/metrics',
    '/queues',
    '/server-status',
    '/.env',
    '/__proto__',
    '/constructor',
    'http://elsewhere.example/',
    '*',
  ].map((target) => refused(`path ${target}`, { target, body: good }, 404, 'no-such-path')),
  storing('path with a slash behind it', { target: '/events/', body: good }),
  storing('path in capitals', { target: '/EVENTS', body: good }),
  storing('the other path', { target: '/lifecycle', body: good }),
  storing('a query that is no token', { target: '/events?code=1&code=2&__proto__=x', body: good }),
  storing('an absolute address', { target: 'http://elsewhere.example/events', body: good }),
  storing('h2c', {
    headers: [
      JSON_TYPE,
      ['Connection', 'Upgrade, HTTP2-Settings'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
    ],
    body: good,
  }),
  storing('headers that name somebody else', {
    headers: [
      JSON_TYPE,
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-HTTP-Method-Override', 'DELETE'],
      ['X-Original-URL', '/queues'],
    ],
    body: good,
  }),
];

const lengths = [
  refused('60 MB', { body: Buffer.alloc(60_000_000, 0x20) }, 413, 'body-too-large'),
  refused('one byte too many', { body: good.padEnd(5_242_881) }, 413, 'body-too-large'),
  storing('as many bytes as may be', { body: good.padEnd(5_242_880) }),
  refused('no body', {}, 400, 'body-empty'),
];

export const requestCases: readonly HostileCase[] = [...types, ...encodings, ...methods, ...lengths];

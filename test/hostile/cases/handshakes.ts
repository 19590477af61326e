/** The handshake: what is echoed, what is refused, and that nothing but plain text ever comes back. */
import { changed, collection } from '../graph-posts.ts';
import { type HostileCase, type Post, refused } from '../hostile-case.ts';

const TEXT_TYPE = [['Content-Type', 'text/plain; charset=utf-8']] as const;

const ask = (query: string): Post => ({ target: `/events?${query}`, headers: TEXT_TYPE });

function echoed(name: string, post: Post, text: string): HostileCase {
  return { name, post, status: 200, text, effect: { stored: 0, deadLettered: 0 } };
}

const sentence = 'Validation: Testing client application reachability for subscription Request-Id: 5b1f';

export const handshakeCases: readonly HostileCase[] = [
  echoed('handshake with + for spaces', ask(`validationToken=${sentence.replaceAll(' ', '+')}`), sentence),
  echoed('handshake, percent-encoded', ask(`validationToken=${encodeURIComponent(sentence)}`), sentence),
  echoed(
    'handshake on /lifecycle',
    { target: '/lifecycle?validationToken=a%20b', headers: TEXT_TYPE },
    'a b',
  ),
  echoed(
    'handshake with markup',
    ask('validationToken=%3Cscript%3Ealert(1)%3C/script%3E'),
    '<script>alert(1)</script>',
  ),
  echoed('handshake encoded twice', ask('validationToken=%2541'), '%41'),
  echoed('handshake with a percent sign that encodes nothing', ask('validationToken=100%'), '100%'),
  echoed('handshake with bytes that are no UTF-8', ask('validationToken=a%ff'), 'a\ufffd'),
  echoed('handshake with 2,048 characters', ask(`validationToken=${'x'.repeat(2048)}`), 'x'.repeat(2048)),
  echoed('handshake after another parameter', ask('code=1&validationToken=a'), 'a'),
  echoed(
    'handshake beside notifications, which are not looked at',
    { target: '/events?validationToken=a', body: collection(changed()) },
    'a',
  ),
  echoed('handshake of no content type', { target: '/events?validationToken=a', headers: [] }, 'a'),
  echoed(
    'handshake by an absolute address',
    { target: 'http://elsewhere.example/events?validationToken=a', headers: TEXT_TYPE },
    'a',
  ),
  refused('token twice', ask('validationToken=a&validationToken=b'), 400, 'token-repeated'),
  refused('token twice and equal', ask('validationToken=a&validationToken=a'), 400, 'token-repeated'),
  refused('token twice, once by escape', ask('validationToken=a&validation%54oken=b'), 400, 'token-repeated'),
  refused(
    'token of 999 repetitions',
    ask(Array(999).fill('validationToken=a').join('&').slice(0, 15_000)),
    400,
    'token-repeated',
  ),
  refused('token empty', ask('validationToken='), 400, 'token-empty'),
  refused('token without a value', ask('validationToken'), 400, 'token-empty'),
  refused('token of 2,049 characters', ask(`validationToken=${'x'.repeat(2049)}`), 400, 'token-too-long'),
  refused('token of 2,049 escapes', ask(`validationToken=${'%41'.repeat(2049)}`), 400, 'token-too-long'),
  ...[
    ['CR LF', '%0d%0aSet-Cookie:%20a=b'],
    ['LF', '%0a'],
    ['a tab', '%09'],
    ['a null', '%00'],
    ['DEL', '%7f'],
    ['a C1 control', '%c2%85'],
    ['an escape sequence of terminals', '%1b%5b2J'],
  ].map(([what, text]) =>
    refused(`token with ${what}`, ask(`validationToken=a${text}`), 400, 'token-not-text'),
  ),
  ...[
    'validationToken[]=a',
    'validationToken[a]=b',
    'ValidationToken=a',
    'validationtoken=a',
    'token=a',
    '%00=a',
    '',
  ].map((query) => refused(`no handshake: ?${query}`, ask(query), 415, 'content-type')),
];

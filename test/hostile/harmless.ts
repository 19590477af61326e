/** What holds for every answer, whatever was asked: it tells nothing of the inside, and is no page. */
import type { RawAnswer } from './raw-answer.ts';

const INSIDE = /<|node_modules|\bat .+:\d+:\d+|\.ts\b|[A-Z]\w*Error\b|Zod|[Ee]xpress|ioredis|[Ss]tack/;

/** What is wrong with an answer; empty where nothing is. `echoes`: its body is what was asked for. */
export function problemsOf({ status, headers, body }: RawAnswer, echoes = false): string[] {
  const problems: string[] = [];
  const text = body.toString('utf8');
  if (status >= 500 && status !== 503) problems.push(`status ${status}`);
  if (!echoes && INSIDE.test(text)) problems.push(`tells of its inside: ${text.slice(0, 200)}`);
  if (text !== '' && headers['x-content-type-options'] !== 'nosniff') problems.push('no nosniff');
  if (/html|xml|script/i.test(headers['content-type'] ?? ''))
    problems.push(`type ${headers['content-type']}`);
  for (const name of ['x-powered-by', 'server', 'via', 'etag', 'set-cookie'])
    if (headers[name] !== undefined) problems.push(`header ${name}`);
  return problems;
}

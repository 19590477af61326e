import { describe, expect, inject, it } from 'vitest';
import { requestRedis } from './redis-request.ts';

const port = () => Number(new URL(inject('redisUrl')).port);
const KEY = 'redis-request.test';

describe('a request to Redis', () => {
  it('brings text, numbers, nothing and lists of them', async () => {
    await requestRedis(port(), 'DEL', KEY);
    expect(await requestRedis(port(), 'RPUSH', KEY, 'ä', '')).toBe(2);
    expect(await requestRedis(port(), 'LRANGE', KEY, '0', '-1')).toEqual([
      Buffer.from('ä').toString('latin1'),
      '',
    ]);
    expect(await requestRedis(port(), 'EVAL', "return {1, {'two', false}}", '0')).toEqual([1, ['two', null]]);
    expect(await requestRedis(port(), 'GET', `${KEY}.absent`)).toBeNull();
    expect(await requestRedis(port(), 'DEL', KEY)).toBe(1);
  });

  it('takes an answer of many pieces', async () => {
    const large = 'x'.repeat(1_000_000);
    expect(await requestRedis(port(), 'ECHO', large)).toBe(large);
  });

  it('fails with the words of Redis', async () => {
    await expect(requestRedis(port(), 'NO-SUCH-COMMAND')).rejects.toThrow(/unknown command/);
  });
});

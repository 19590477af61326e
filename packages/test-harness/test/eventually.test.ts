import { describe, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';

/** Fails in the given ways, one after the other, and then succeeds. */
function afterFailures<T>(failures: unknown[], success: T): () => Promise<T> {
  return async () => {
    if (failures.length === 0) return success;
    const failure = failures.shift();
    if (failure instanceof Error) throw failure;
    return failure as T;
  };
}

describe('eventually', () => {
  it('returns the value of the first try that succeeds', async () => {
    expect(await eventually(afterFailures([new Error('no'), false, null, 0, ''], 'yes'))).toBe('yes');
  });

  it('takes an assertion that does not throw for success', async () => {
    let tries = 0;
    await eventually(() => {
      tries++;
      expect(tries).toBeGreaterThan(2);
    });
    expect(tries).toBe(3);
  });

  it('throws the last failure with the time that it took', async () => {
    const failure = new Error('still empty');
    const promise = eventually(
      () => {
        throw failure;
      },
      { timeoutMs: 60, intervalMs: 5 },
    );
    await expect(promise).rejects.toThrow(/^Not within \d+ ms: still empty$/);
    await expect(promise).rejects.toMatchObject({ cause: failure });
  });

  it('says what the condition was when it never held', async () => {
    await expect(eventually(() => false, { timeoutMs: 20 })).rejects.toThrow('the condition was false');
  });

  it('abandons a try that hangs at the deadline', async () => {
    const hangs = () => new Promise<never>(() => {});
    await expect(eventually(hangs, { timeoutMs: 50 })).rejects.toThrow('the first try did not end');
  });
});

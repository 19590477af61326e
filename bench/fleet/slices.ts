/** Months that were simulated before, a line each in a file, so that a long run can be done in slices and gone on with. */
import { appendFile, readFile } from 'node:fs/promises';
import type { Month, MonthOptions } from './simulate-month.ts';

export type Slice = { readonly month: Month; readonly seconds: number };

/** `file`: absent where nothing is kept. Lines of months of another kind are not read. */
export function createSlices(
  file: string | undefined,
  { subscriptions, days, clocksOffMs }: Pick<MonthOptions, 'subscriptions' | 'days' | 'clocksOffMs'>,
  of?: 'plan',
) {
  const kind = JSON.stringify({ subscriptions, days, clocksOffMs, of });
  return {
    /** By seed. */
    async read(): Promise<Map<number, Slice>> {
      const text = file === undefined ? '' : await readOrEmpty(file);
      const lines = text.split('\n').filter((line) => line !== '');
      const slices = lines.map((line) => JSON.parse(line) as Slice & { readonly kind: string });
      return new Map(
        slices.flatMap(({ kind: one, ...slice }) => (one === kind ? [[slice.month.seed, slice]] : [])),
      );
    },
    async add(slice: Slice): Promise<void> {
      if (file !== undefined) await appendFile(file, `${JSON.stringify({ kind, ...slice })}\n`);
    },
  };
}

async function readOrEmpty(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** What is wanted, and whether Graph will give as much. Pure. */
import { error, ok, type Remark, warning } from './finding.ts';
import { judgeQuotas } from './quotas.ts';
import type { ReadWanted } from './read-wanted.ts';

export function checkSubscriptions({ file, wishes, problems }: ReadWanted): Remark[] {
  if (problems.length > 0) {
    const cure = `correct ${file}; subscriptions.example.yaml explains each line`;
    return problems.map((problem) => error(`${file}: ${problem}`, cure));
  }
  if (wishes === undefined) {
    return [warning('not looked at: a setting that it takes is wrong', 'correct the settings first')];
  }
  if (file === undefined) return [ok('SUBSCRIPTIONS_FILE is not set: none is made or renewed')];
  return judgeQuotas(wishes);
}

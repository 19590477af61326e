/** What is wanted, and whether Graph will give as much. Pure. */
import { type DeclaredEntry, idsInFile, wishesInFile } from '../declaration/declared-entry.ts';
import { error, namesOf, ok, type Remark, warning } from './finding.ts';
import { judgeQuotas } from './quotas.ts';
import type { ReadWanted } from './read-wanted.ts';

export function checkSubscriptions({ file, wishes, entries, problems }: ReadWanted): Remark[] {
  if (problems.length > 0) {
    const cure = `correct ${file}; subscriptions.example.yaml explains each line`;
    return problems.map((problem) => error(problem, cure));
  }
  if (wishes === undefined) {
    return [warning('not looked at: a setting that it takes is wrong', 'correct the settings first')];
  }
  if (file === undefined) return [ok('SUBSCRIPTIONS_FILE is not set: none is made or renewed')];
  const isOpen = (entry: DeclaredEntry) => entry.people !== undefined && idsInFile(entry) === undefined;
  const [open, said] = [entries.filter(isOpen), entries.filter((entry) => !isOpen(entry))];
  const asked = open.map(({ name }) => name);
  const people =
    asked.length > 0 ? [ok(`for ${namesOf(asked)} Graph says whose, one for each: not counted here`)] : [];
  const counted = said.length > 0 ? judgeQuotas(said.flatMap(wishesInFile)) : [];
  return [...counted, ...people];
}

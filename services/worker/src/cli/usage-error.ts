/** What was typed is not a command of ours; the text says what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

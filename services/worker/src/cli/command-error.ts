/** A command cannot be done; its message is one line for the operator, with the cure. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

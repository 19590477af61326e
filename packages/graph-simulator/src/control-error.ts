// Why a control call was refused, as JSON: `{"error": "…"}`, one sentence that names what is wrong.
import type { NextFunction, Request, Response } from 'express';

export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** body-parser's errors have the status and say what they are of. */
function isParserError(error: unknown): error is Error & { readonly status: number } {
  return (
    error instanceof Error && 'type' in error && typeof (error as { status?: unknown }).status === 'number'
  );
}

/** The last of the control calls' handlers. */
export function answerControlError(
  error: unknown,
  _request: Request,
  response: Response,
  next: NextFunction,
): void {
  if (error instanceof ControlError) response.status(error.status).json({ error: error.message });
  else if (isParserError(error)) {
    response.status(error.status).json({ error: `The body is not readable as JSON: ${error.message}` });
  } else next(error);
}

/** A secret from a file, as Kubernetes, Docker and Cloud Run mount them. */
import { open } from 'node:fs/promises';
import { LONGEST_SECRET, SecretError } from './secret-error.ts';

/** Throws a `SecretError`. The content may still have its last line's end. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new SecretError('is not a file');
      if (found.size > LONGEST_SECRET) throw new SecretError(`is longer than ${LONGEST_SECRET} bytes`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SecretError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new SecretError(`cannot be read (${code ?? 'unknown error'})`, { cause: error });
  }
}

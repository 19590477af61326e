// Where the programs that a local run needs are kept, once for all packages; git ignores the folder.
import { join, resolve } from 'node:path';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

/** Absolute; not made before something is put into it. */
export const LOCAL_FOLDER = join(REPOSITORY, '.local');

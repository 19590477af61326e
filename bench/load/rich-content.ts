/** What makes a notification a rich one: its resource, sealed as Graph seals it, and the token of its POST. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { seal } from '../../services/worker/test/rich/seal.ts';
import type { Carried } from './notification-posts.ts';

/** An event without its body: with the key and the signature, 2 kB of a notification. */
const RESOURCE_BYTES = 1200;
/** Different ones, used in turn: sealing one for each notification would keep the load generator busy. */
const CONTENTS = 500;
/** Header, claims and signature of a token as Microsoft Entra makes them, in bytes before base64url. */
const TOKEN_BYTES = [90, 700, 256] as const;

/**
 * `rich` is for POSTs with content; `plain` for ones that are equal to them byte by byte but for two names, which no
 * receiver knows: as long and as costly to read, with nothing to store.
 */
export function createRichContent(): { readonly rich: Carried; readonly plain: Carried } {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const contents = Array.from({ length: CONTENTS }, () => ({
    ...seal(resource(), publicKey),
    encryptionCertificateId: 'benchmark',
    encryptionCertificateThumbprint: randomBytes(20).toString('hex').toUpperCase(),
  }));
  const contentOf = (number: number) => contents[number % CONTENTS];
  const tokens = [TOKEN_BYTES.map((bytes) => randomBytes(bytes).toString('base64url')).join('.')];
  return {
    rich: {
      item: (number) => ({ encryptedContent: contentOf(number) }),
      post: { validationTokens: tokens },
    },
    plain: {
      item: (number) => ({ unheardOfContent: contentOf(number) }),
      post: { unheardOfTokensX: tokens },
    },
  };
}

function resource(): string {
  const text = { subject: 'A meeting', bodyPreview: '' };
  const missing = RESOURCE_BYTES - JSON.stringify(text).length;
  return JSON.stringify({ ...text, bodyPreview: randomBytes(missing).toString('hex').slice(0, missing) });
}

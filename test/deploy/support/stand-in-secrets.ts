// An environment whose references to secrets are replaced by what could be kept there.
import type { Environment } from '@graph2kafka/shared';

const SECRETS: Readonly<Record<string, string>> = {
  REDIS_URL: 'rediss://:password@redis.contoso.example:6380',
  CLIENT_STATE_SECRETS: 'kept-in-a-safe-place',
  ADMIN_PASSWORD: 'password-of-the-pages',
};

const REFERENCE = /^(file:|gcpsecretmanager:|azurekeyvault:)/;

export function withStandInSecrets(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value = '']) => [
      name,
      REFERENCE.test(value) && name !== 'ENCRYPTION_KEYS' ? (SECRETS[name] ?? 'a secret') : value,
    ]),
  );
}

/** Names a clientState secret without telling it, so that it shows which subscriptions carry which. */
import { createHmac } from 'node:crypto';

/** Eight hex digits: enough to tell a handful of secrets apart. */
export function secretFingerprint(secret: string): string {
  return createHmac('sha256', secret).update('graph2kafka: clientState secret').digest('hex').slice(0, 8);
}

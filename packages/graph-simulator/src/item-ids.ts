// Makes ids and change keys of the form that Outlook gives its items.
import { createHash } from 'node:crypto';
import type { SeededRandom } from './seeded-random.ts';

export interface ItemIds {
  /** 152 characters of base64-url that end in '=': opaque, and case-sensitive. */
  itemId(userId: string): string;
  /** 32 characters of base64; no two are alike, whatever the resource. */
  changeKey(): string;
  /** 112 hexadecimal digits. */
  iCalUId(): string;
  guid(): string;
  /** 34 capitals and digits that begin with 01, as OneDrive's are. */
  driveItemId(): string;
  /** Epoch milliseconds as text, of which no two are alike, as Teams names its messages. */
  chatMessageId(nowMs: number): string;
}

const ITEM_ID_BYTES = 113; // 152 characters with one '=' at the end
const ICAL_PREFIX = '040000008200E00074C5B7101A82E008';

const BASE_32 = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'];

const digest = (text: string, count: number) => createHash('sha256').update(text).digest().subarray(0, count);

function itemIdOf(userId: string, store: Buffer, random: Buffer, count: number): string {
  const bytes = Buffer.alloc(ITEM_ID_BYTES);
  bytes.set([0x00, 0x03, 0x24, 0x00]); // what makes real ids begin with AAMkA
  bytes.set(digest(userId, 32), 4);
  bytes.set(store, 40);
  bytes.set(random, 64);
  bytes.writeUInt32BE(count, 106);
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/**
 * @param instance makes the ids of two runs with one seed differ, as a resource that comes back from the dead with
 * an old change key would look like one already seen.
 */
export function createItemIds(instance: string, random: SeededRandom): ItemIds {
  const store = digest(instance, 16);
  let items = 0;
  let changes = 0;
  let lastMessageMs = 0;
  return {
    itemId: (userId) => {
      items += 1;
      return itemIdOf(userId, store, random.bytes(32), items);
    },
    changeKey: () => {
      changes += 1;
      const bytes = Buffer.alloc(22);
      bytes.set(store);
      bytes.writeUIntBE(changes, 16, 6);
      return bytes.toString('base64');
    },
    iCalUId: () => `${ICAL_PREFIX}${'0'.repeat(16)}${random.bytes(32).toString('hex').toUpperCase()}`,
    guid: () => random.guid(),
    driveItemId: () => `01${Array.from({ length: 32 }, () => random.pick(BASE_32)).join('')}`,
    chatMessageId: (nowMs) => {
      lastMessageMs = Math.max(lastMessageMs + 1, nowMs);
      return String(lastMessageMs);
    },
  };
}

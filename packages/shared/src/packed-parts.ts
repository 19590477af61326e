/**
 * Many parts in one value of Redis, each read and dropped by its number. One long argument costs Redis less than the
 * fields of a hash, which it parses and copies one by one; and from then on it reads more at once of what follows on that
 * connection, so that its log is synced less often (docs/decisions/0006-rich-content-beside-the-inbox.md).
 *
 * The value, all numbers being little-endian and of 4 bytes: how many parts, how many bytes they had when they were
 * packed, how many are left of these (part 0 in neither); of each part where it starts and its length, 0 when it was
 * dropped; the parts. Part 0 belongs to the others and goes with the last of them.
 */

/** Bytes before the first start and length, and of such a pair. */
const HEAD = 12;
const PLACE = 8;

/** Packs anew when less than a part in so many is left: what stays long behind would otherwise hold all the rest. */
const SPARSE = 8;

/** No part may be empty. */
export function packParts(first: Buffer, others: readonly Buffer[]): Buffer {
  const parts = [first, ...others];
  const head = Buffer.allocUnsafe(HEAD + PLACE * parts.length);
  let start = head.length;
  for (const [n, part] of parts.entries()) {
    head.writeUInt32LE(start, HEAD + PLACE * n);
    head.writeUInt32LE(part.length, HEAD + PLACE * n + 4);
    start += part.length;
  }
  const bytes = start - head.length - first.length;
  head.writeUInt32LE(parts.length, 0);
  head.writeUInt32LE(bytes, 4);
  head.writeUInt32LE(bytes, 8);
  return Buffer.concat([head, ...parts], start);
}

/** Of a value that is gone there are no parts. */
const open = `
local count, packed, left = 0, 0, 0
local head = redis.call('GETRANGE', KEYS[1], 0, ${HEAD - 1})
if #head == ${HEAD} then count, packed, left = struct.unpack('<I4I4I4', head) end
local function place(n)
  n = tonumber(n)
  if not (n and n >= 0 and n < count) then return 0, 0 end
  local at = ${HEAD} + ${PLACE} * n
  return struct.unpack('<I4I4', redis.call('GETRANGE', KEYS[1], at, at + ${PLACE - 1}))
end`;

/** KEYS value · ARGV numbers → the part of each, nil where it is gone. */
const readParts = `${open}
local parts = {}
for i, n in ipairs(ARGV) do
  local start, length = place(n)
  parts[i] = length > 0 and redis.call('GETRANGE', KEYS[1], start, start + length - 1)
end
return parts`;

/** KEYS value · ARGV numbers, not 0 → how many bytes are left. One that is gone already changes nothing. */
const dropParts = `${open}
for _, n in ipairs(ARGV) do
  local _, length = place(n)
  if length > 0 then
    redis.call('SETRANGE', KEYS[1], ${HEAD} + ${PLACE} * n + 4, struct.pack('<I4', 0))
    left = left - length
  end
end
if left == 0 then
  redis.call('UNLINK', KEYS[1])
elseif left * ${SPARSE} >= packed then
  redis.call('SETRANGE', KEYS[1], 8, struct.pack('<I4', left))
else
  local old, places, parts = redis.call('GET', KEYS[1]), {}, {}
  local start = ${HEAD} + ${PLACE} * count
  for n = 0, count - 1 do
    local from, length = struct.unpack('<I4I4', old, ${HEAD} + ${PLACE} * n + 1)
    places[n + 1] = struct.pack('<I4I4', start, length)
    parts[n + 1] = string.sub(old, from + 1, from + length)
    start = start + length
  end
  local anew = struct.pack('<I4I4I4', count, left, left) .. table.concat(places) .. table.concat(parts)
  redis.call('SET', KEYS[1], anew, 'KEEPTTL')
end
return left`;

export const partScripts = {
  g2kReadParts: { numberOfKeys: 1, lua: readParts },
  g2kDropParts: { numberOfKeys: 1, lua: dropParts },
};

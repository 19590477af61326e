/** The Lua scripts behind pauses; all clocks are Redis's own. A pause is JSON: reason, detail, since, until, at, probed. */

const now = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** Redis replies with strings; numbers of 13 digits would lose their tail in Lua's default form. */
const int = `local function int(n) return string.format('%.0f', n) end`;

/**
 * KEYS first last · ARGV owner, ms since this worker was answered (-1: never), ms to remember
 * → { ms since the owner's first refusal, owners refused since the answer, 1 if the answer came after the refusal }
 *
 * An owner that is refused while others are answered is so for itself, and no evidence for anybody: its first refusal
 * then counts as of 1970, at every worker, until it has not been refused for the time to remember.
 */
const refused = `${now} ${int}
local owner, remember = ARGV[1], tonumber(ARGV[3])
local answered = tonumber(ARGV[2]) < 0 and 0 or now - tonumber(ARGV[2])
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', int(now - remember), 'LIMIT', 0, 1000)) do
  redis.call('ZREM', KEYS[1], old)
  redis.call('ZREM', KEYS[2], old)
end
redis.call('ZADD', KEYS[1], 'NX', int(now), owner)
redis.call('ZADD', KEYS[2], int(now), owner)
redis.call('PEXPIRE', KEYS[1], remember)
redis.call('PEXPIRE', KEYS[2], remember)
local first = tonumber(redis.call('ZSCORE', KEYS[1], owner))
local owners = redis.call('ZCOUNT', KEYS[1], '(' .. int(math.max(1, answered)), '+inf')
if answered > first then redis.call('ZADD', KEYS[1], 1, owner) end
return { int(now - first), owners, answered > first and 1 or 0 }`;

/**
 * KEYS pauses · ARGV field ms reason detail, ms to keep it after its end → { 1 if it is new, ms left }
 */
const pause = `${now} ${int}
local ms = tonumber(ARGV[2])
local known = redis.call('HGET', KEYS[1], ARGV[1])
local old = known and cjson.decode(known)
local p = { reason = ARGV[3], detail = ARGV[4], since = now, at = now, probed = now, ['until'] = now + ms }
if old and old.reason == p.reason then
  p.since = old.since
  p['until'] = math.max(old['until'], p['until'])
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(p))
local left = p['until'] - now
redis.call('PEXPIRE', KEYS[1], int(math.max(redis.call('PTTL', KEYS[1]), left + tonumber(ARGV[5]))))
return { old and old.reason == p.reason and 0 or 1, int(left) }`;

/**
 * KEYS pauses, first refusals · ARGV field owner, ms for a probe, ms between probes of owners that were not refused
 * → ms left; 0: there is none; -1: the owner goes through as the probe
 */
const probe = `${now} ${int}
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return '0' end
local p = cjson.decode(known)
local fresh = p.reason == 'forbidden' and not redis.call('ZSCORE', KEYS[2], ARGV[2])
if p['until'] <= now or (fresh and now - p.probed >= tonumber(ARGV[4])) then
  p.probed = now
  p['until'] = math.max(p['until'], now + tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(p))
  return '-1'
end
return int(p['until'] - now)`;

/** KEYS pauses · ARGV field, when it was last set → ms that it has lasted; -1 where it is gone or was set anew */
const resume = `${now} ${int}
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return '-1' end
local p = cjson.decode(known)
if p.at > tonumber(ARGV[2]) then return '-1' end
redis.call('HDEL', KEYS[1], ARGV[1])
return int(now - p.since)`;

export const limitScripts = {
  g2kRefused: { numberOfKeys: 2, lua: refused },
  g2kPause: { numberOfKeys: 1, lua: pause },
  g2kProbe: { numberOfKeys: 2, lua: probe },
  g2kResume: { numberOfKeys: 1, lua: resume },
};

/**
 * The Lua scripts behind what is known of the subscriptions. Each reads before it writes, and each write is refused to who
 * holds the lease no more; one without a token is not of a reconciliation, and not held to it.
 */

const fence = `
if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST another one reconciles') end`;

/** The field under which a subscription is counted. */
const countField = `
local function field(one)
  return (one.replacedAt and 'replaced' or 'serving') .. ' ' .. tostring(one.tenantId) .. ' ' .. (one.secret or '-')
end
local function count(counts, name, by)
  if redis.call('HINCRBY', counts, name, by) <= 0 then redis.call('HDEL', counts, name) end
end`;

/**
 * KEYS lease subscriptions demands by-wish counts intents · ARGV token id json expiresAt replaced demand now
 *
 * With a new expiry it was renewed, which is what `renew` demands; `recreate` stays until it is replaced.
 */
const save = `${fence}${countField}
local id, json, expires, demand = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[6]
local new = cjson.decode(json)
local held = redis.call('HGET', KEYS[2], id)
local old = held and cjson.decode(held)
redis.call('HSET', KEYS[2], id, json)
if old then count(KEYS[5], field(old), -1) end
count(KEYS[5], field(new), 1)
local ids = cjson.decode(redis.call('HGET', KEYS[4], new.wish) or '[]')
local listed = false
for _, one in ipairs(ids) do listed = listed or one == id end
if not listed then
  ids[#ids + 1] = id
  redis.call('HSET', KEYS[4], new.wish, cjson.encode(ids))
end
if ARGV[5] == '1' then
  redis.call('HDEL', KEYS[3], id)
else
  redis.call('HDEL', KEYS[6], new.wish)
  if demand ~= '' then
    redis.call('HSET', KEYS[3], id, demand)
  elseif old and old.expiresAt ~= expires and redis.call('HGET', KEYS[3], id) ~= 'recreate' then
    redis.call('HSET', KEYS[3], id, 'renewed ' .. ARGV[7])
  end
end
return 1`;

/** KEYS lease subscriptions demands by-wish counts · ARGV token id */
const forget = `${fence}${countField}
local held = redis.call('HGET', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
if not held then return 0 end
local old = cjson.decode(held)
redis.call('HDEL', KEYS[2], ARGV[2])
count(KEYS[5], field(old), -1)
local ids = {}
for _, one in ipairs(cjson.decode(redis.call('HGET', KEYS[4], old.wish) or '[]')) do
  if one ~= ARGV[2] then ids[#ids + 1] = one end
end
if #ids == 0 then redis.call('HDEL', KEYS[4], old.wish)
else redis.call('HSET', KEYS[4], old.wish, cjson.encode(ids)) end
return 1`;

/**
 * KEYS demands subscriptions due · ARGV id demand now recent
 * → 1: to be acted upon, and due at once; 0: it was renewed less than `recent` ms ago
 */
const demand = `
local id, what, now, recent = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HGET', KEYS[1], id)
local renewed = held and string.match(held, '^renewed (%d+)$')
if what == 'renew' and renewed and now - tonumber(renewed) < recent then return 0 end
if held ~= 'recreate' then redis.call('HSET', KEYS[1], id, what) end
local known = redis.call('HGET', KEYS[2], id)
if known then redis.call('ZADD', KEYS[3], 0, cjson.decode(known).wish) end
return 1`;

/** KEYS lease intents · ARGV token wish intent ('': none) */
const intend = `${fence}
if ARGV[3] == '' then redis.call('HDEL', KEYS[2], ARGV[2])
else redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) end
return 1`;

/** KEYS lease troubles counts · ARGV token wish trouble ('': none) */
const note = `${fence}${countField}
local held = redis.call('HGET', KEYS[2], ARGV[2])
if held then count(KEYS[3], 'trouble ' .. cjson.decode(held).reason, -1) end
if ARGV[3] == '' then redis.call('HDEL', KEYS[2], ARGV[2])
else
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  count(KEYS[3], 'trouble ' .. cjson.decode(ARGV[3]).reason, 1)
end
return 1`;

/** KEYS lease due · ARGV token (wish, epoch ms or '')… */
const schedule = `${fence}
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('ZREM', KEYS[2], ARGV[i])
  else redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i]) end
end
return 1`;

/** KEYS lease hash · ARGV token, 1 to empty it before, (field, value or '')… */
const setFields = `${fence}
if ARGV[2] == '1' then redis.call('DEL', KEYS[2]) end
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[i])
  else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return 1`;

/** KEYS state generation due · ARGV now limit → { fields and values, generation or nil, wishes } */
const look = `
return {
  redis.call('HGETALL', KEYS[1]), redis.call('GET', KEYS[2]),
  redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
}`;

/** KEYS lease · ARGV token ms → 1: it is ours for so long */
const prolong = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** KEYS lease · ARGV token */
const release = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

export const fleetScripts = {
  g2kSaveSubscription: { numberOfKeys: 6, lua: save },
  g2kForgetSubscription: { numberOfKeys: 5, lua: forget },
  g2kDemand: { numberOfKeys: 3, lua: demand },
  g2kIntend: { numberOfKeys: 2, lua: intend },
  g2kNoteTrouble: { numberOfKeys: 3, lua: note },
  g2kScheduleWishes: { numberOfKeys: 2, lua: schedule },
  g2kSetFields: { numberOfKeys: 2, lua: setFields },
  g2kLookAtFleet: { numberOfKeys: 3, lua: look },
  g2kProlongLease: { numberOfKeys: 1, lua: prolong },
  g2kReleaseLease: { numberOfKeys: 1, lua: release },
};

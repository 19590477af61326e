/**
 * The Lua scripts of the inbox. Each is one step that Redis takes whole or not at all. What is due is told by Redis's own
 * clock, when something was received by that of the receiver.
 *
 * Keys of an owner (one hash tag per shard, so that a cluster keeps them on one node):
 *   inbox  hash   canonical resource → its entries, packed; `#seq` numbers entries; `#starts` counts runs begun since
 *                 one settled, `#solo` the runs that still take one resource alone
 *   due    zset   canonical resource → when it may be worked (epoch ms); in the future: it waits
 *   since  zset   canonical resource whose due time is not that of its first entry, since a run left it → when that entry
 *                 was received (epoch ms)
 *   lease  string run token, with the lease's rest as its time to live
 * Keys of a shard:
 *   index  zset   owner with entries → when it next has work (epoch ms)
 *   oldest zset   owner with entries → when the first of them was received (epoch ms), for people and metrics
 *
 * A resource's pack: { a = attempts, w = waiting since, s = sealed up to, k = runs that took it alone and have not
 * settled, e = { entry, … } }, an entry being
 * { seq, subscription, joins, created, deleted, last, count, first receipt, last receipt, news }.
 *
 * Joining: an entry that says no more than "changed" joins the last one of its subscription for this resource, so
 * that a burst on one event costs one entry. A run seals what it has read: what arrives later becomes an entry
 * of its own and survives the run's settling. An entry that carries a resource (joins = 2) joins nothing, until a
 * resource has a hundred of them: then it says no more than "changed", and its latest state will be fetched.
 */

const now = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** Redis replies with strings; numbers of 13 digits would lose their tail in Lua's default form. */
const int = `local function int(n) return string.format('%.0f', n) end`;

/**
 * KEYS inbox due index oldest · ARGV owner most, then per entry: resource subscription joins changeType receivedAt news.
 *
 * An owner with `most` resources takes no further ones: their news becomes one entry that has everything of its
 * subscription read again. Deletions, which such a reading does not find, are taken five times as long,
 * and the entry says so ("deleted") if it had to stand for one.
 *
 * Later news of a resource that waits, waits with it; but for a deletion, which says what it was waiting to know.
 */
const append = `${int}
local most, now = tonumber(ARGV[2]), nil
for i = 3, #ARGV, 6 do
  local resource, subscription, joins = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local change, at, news = ARGV[i + 3], tonumber(ARGV[i + 4]), ARGV[i + 5]
  local deleted = change == 'deleted' and 1 or 0
  local packed = redis.call('HGET', KEYS[1], resource)
  if not packed and change ~= '' and redis.call('ZCARD', KEYS[2]) >= (change == 'deleted' and 5 * most or most) then
    resource = 'resync/' .. subscription
    news = cjson.encode({ kind = 'resync', tenantId = string.match(ARGV[1], '^[^/]+'), subscriptionId = subscription,
      reason = 'the owner had news of more than ' .. int(most) .. ' resources' })
    change = ''
    packed = redis.call('HGET', KEYS[1], resource)
  end
  local created = change == 'created' and 1 or 0
  local pack = packed and cmsgpack.unpack(packed) or { a = 0, w = 0, s = 0, e = {} }
  local joined = false
  if joins == 2 and #pack.e >= 100 then
    joins = 1
    local plain = cjson.decode(news)
    plain.contentId = nil
    news = cjson.encode(plain)
  end
  if joins == 1 then
    for j = #pack.e, 1, -1 do
      local e = pack.e[j]
      if e[1] <= pack.s then break end
      if e[2] == subscription then
        if e[3] == 1 then
          joined = true
          e[4] = math.max(e[4], created) e[5] = math.max(e[5], deleted)
          e[6] = change e[7] = e[7] + 1 e[9] = math.max(e[9], at) e[10] = news
        end
        break
      end
    end
  end
  if not joined then
    local seq = redis.call('HINCRBY', KEYS[1], '#seq', 1)
    pack.e[#pack.e + 1] = { seq, subscription, joins, created, deleted, change, 1, at, at, news }
  end
  redis.call('HSET', KEYS[1], resource, cmsgpack.pack(pack))
  if not packed or change == 'deleted' then
    if not now then
      local t = redis.call('TIME')
      now = int(t[1] * 1000 + math.floor(t[2] / 1000))
      redis.call('ZADD', KEYS[3], 'LT', now, ARGV[1])
      redis.call('ZADD', KEYS[4], 'NX', int(at), ARGV[1])
    end
    redis.call('ZADD', KEYS[2], 'LT', now, resource)
  end
end
return redis.call('ZCARD', KEYS[2])`;

/**
 * KEYS inbox due lease · ARGV token leaseMs window unsettled
 * → { 'busy' } | { 'empty' } | { 'later', ms } | { 'run', starts, resources due and not taken, { resource… } }
 *
 * After `unsettled` runs that did not settle (their process died, or the work threw) each resource is taken alone, once
 * around, so that the one to blame is found: its `k` grows, the others' runs settle.
 */
const begin = `${now} ${int}
if redis.call('EXISTS', KEYS[3]) == 1 then return { 'busy' } end
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', int(now), 'LIMIT', 0, tonumber(ARGV[3]))
if #due == 0 then
  local head = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if not head[2] then return { 'empty' } end
  return { 'later', int(math.max(1, tonumber(head[2]) - now)) }
end
redis.call('SET', KEYS[3], ARGV[1], 'PX', tonumber(ARGV[2]))
local starts = redis.call('HINCRBY', KEYS[1], '#starts', 1)
local solo = tonumber(redis.call('HGET', KEYS[1], '#solo') or '0')
if solo == 0 and starts > tonumber(ARGV[4]) then
  solo = redis.call('ZCARD', KEYS[2])
  redis.call('HSET', KEYS[1], '#solo', solo)
end
if solo > 0 then due = { due[1] } end
local taken = {}
for _, resource in ipairs(due) do
  local packed = redis.call('HGET', KEYS[1], resource)
  if packed then
    local pack = cmsgpack.unpack(packed)
    pack.s = pack.e[#pack.e][1]
    if solo > 0 then pack.k = (pack.k or 0) + 1 end
    redis.call('HSET', KEYS[1], resource, cmsgpack.pack(pack))
    local entries = {}
    for _, e in ipairs(pack.e) do
      entries[#entries + 1] = { int(e[1]), e[2], int(e[4]), int(e[5]), e[6], int(e[7]), int(e[8]), int(e[9]), e[10] }
    end
    taken[#taken + 1] = { resource, int(pack.a), int(pack.w), int(pack.k or 0), entries }
  else
    redis.call('ZREM', KEYS[2], resource)
  end
end
local more = redis.call('ZCOUNT', KEYS[2], '-inf', int(now)) - #taken
return { 'run', starts, more, taken }`;

/** KEYS lease · ARGV token leaseMs → 1 while the lease is ours (and lives leaseMs from now), else 0. */
const hold = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]))
return 1`;

/** KEYS lease · ARGV token: ends a run that failed, so that the next one need not wait for the lease to run out. */
const release = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

/**
 * KEYS inbox due lease index oldest since · ARGV token owner, then per resource: name, wait ms (-1: none), attempts to add (0: it was
 * not its own failing, so that its time of waiting does not begin), number of settled entries, their numbers → { 'foreign' } | { 'empty' } | { 'left', resources, ms until due }
 *
 * The oldest of the rest is that which is due first, or the oldest in `since`: no other resource came before that one.
 * Unlike scores there are of a worker of an older version, which does not know `since`.
 */
const settle = `${now} ${int}
local function firstOf(resource)
  local packed = resource and redis.call('HGET', KEYS[1], resource)
  return packed and cmsgpack.unpack(packed).e[1][8]
end
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return { 'foreign' } end
local p = 3
while p <= #ARGV do
  local resource, wait, attempts, n = ARGV[p], tonumber(ARGV[p + 1]), tonumber(ARGV[p + 2]), tonumber(ARGV[p + 3])
  local done = {}
  for i = p + 4, p + 3 + n do done[ARGV[i]] = true end
  p = p + 4 + n
  local packed = redis.call('HGET', KEYS[1], resource)
  if packed then
    local pack = cmsgpack.unpack(packed)
    local left = {}
    for _, e in ipairs(pack.e) do if not done[int(e[1])] then left[#left + 1] = e end end
    if #left == 0 then
      redis.call('HDEL', KEYS[1], resource)
      redis.call('ZREM', KEYS[2], resource)
      redis.call('ZREM', KEYS[6], resource)
    else
      pack.e = left pack.k = nil
      if wait >= 0 then
        pack.a = pack.a + attempts
        if pack.w == 0 and attempts > 0 then pack.w = now end
        redis.call('ZADD', KEYS[2], int(now + wait), resource)
      elseif n > 0 then
        pack.a = 0 pack.w = 0
        redis.call('ZADD', KEYS[2], int(now), resource)
      end
      if wait >= 0 or n > 0 then redis.call('ZADD', KEYS[6], int(left[1][8]), resource) end
      redis.call('HSET', KEYS[1], resource, cmsgpack.pack(pack))
    end
  end
end
redis.call('DEL', KEYS[3])
local left = redis.call('ZCARD', KEYS[2])
if left == 0 then
  redis.call('DEL', KEYS[1], KEYS[6])
  redis.call('ZREM', KEYS[4], ARGV[2])
  redis.call('ZREM', KEYS[5], ARGV[2])
  return { 'empty' }
end
redis.call('HDEL', KEYS[1], '#starts')
if redis.call('HEXISTS', KEYS[1], '#solo') == 1 and redis.call('HINCRBY', KEYS[1], '#solo', -1) <= 0 then
  redis.call('HDEL', KEYS[1], '#solo')
end
local head = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
redis.call('ZADD', KEYS[4], head[2], ARGV[2])
local oldest = firstOf(head[1])
for _ = 1, 20 do
  local late = redis.call('ZRANGE', KEYS[6], 0, 0, 'WITHSCORES')
  if not late[1] then break end
  local first = firstOf(late[1])
  if first and int(first) == late[2] then
    oldest = math.min(first, oldest or first)
    break
  end
  redis.call('ZREM', KEYS[6], late[1])
end
if oldest then redis.call('ZADD', KEYS[5], int(oldest), ARGV[2]) end
return { 'left', left, int(math.max(0, tonumber(head[2]) - now)) }`;

/** KEYS index · ARGV overdue ms, ms until the next look, page → owners that have had work for that long. */
const claim = `${now} ${int}
local owners = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', int(now - tonumber(ARGV[1])), 'LIMIT', 0, tonumber(ARGV[3]))
for _, owner in ipairs(owners) do redis.call('ZADD', KEYS[1], 'XX', int(now + tonumber(ARGV[2])), owner) end
return owners`;

/**
 * KEYS oldest index → when the oldest entry was received (epoch ms), or nothing. What is there of an owner without
 * entries (a worker of an older version settled them) is taken out; 'unknown' where that is too much for one look.
 */
const oldest = `
for _ = 1, 100 do
  local head = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if not head[1] or redis.call('ZSCORE', KEYS[2], head[1]) then return head[2] end
  redis.call('ZREM', KEYS[1], head[1])
end
return 'unknown'`;

export const inboxScripts = {
  g2kAppend: { numberOfKeys: 4, lua: append },
  g2kBegin: { numberOfKeys: 3, lua: begin },
  g2kHold: { numberOfKeys: 1, lua: hold },
  g2kRelease: { numberOfKeys: 1, lua: release },
  g2kSettle: { numberOfKeys: 6, lua: settle },
  g2kClaim: { numberOfKeys: 1, lua: claim },
  g2kOldest: { numberOfKeys: 2, lua: oldest },
};

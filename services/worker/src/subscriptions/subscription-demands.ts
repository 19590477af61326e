/**
 * What Graph demands of a subscription lies beside what is known of it, so that who notes a demand and who renews at the
 * same time do not write over each other. One script for each, since both read before they write.
 *
 * A demand is `renew`, `recreate`, or, where there is none, when it was renewed last: `renewed {epoch ms}`.
 */

/** KEYS demands · ARGV id demand now recent → 1: to be acted upon; 0: it was renewed less than `recent` ms ago. */
const demand = `
local id, what, now, recent = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HGET', KEYS[1], id)
if held == 'recreate' or held == what then return 1 end
local renewed = held and string.match(held, '^renewed (%d+)$')
if what == 'renew' and renewed and now - tonumber(renewed) < recent then return 0 end
redis.call('HSET', KEYS[1], id, what)
return 1`;

/**
 * KEYS subscriptions demands · ARGV id json expiresAt replaced demand now
 *
 * With a new expiry it was renewed, which is what `renew` demands; `recreate` stays until it is replaced.
 */
const save = `
local id, json, expires, replaced, demand = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local old = redis.call('HGET', KEYS[1], id)
redis.call('HSET', KEYS[1], id, json)
if replaced == '1' then
  redis.call('HDEL', KEYS[2], id)
elseif demand ~= '' then
  redis.call('HSET', KEYS[2], id, demand)
elseif old and cjson.decode(old).expiresAt ~= expires and redis.call('HGET', KEYS[2], id) ~= 'recreate' then
  redis.call('HSET', KEYS[2], id, 'renewed ' .. ARGV[6])
end
return 1`;

export const demandScripts = {
  g2kDemand: { numberOfKeys: 1, lua: demand },
  g2kSaveSubscription: { numberOfKeys: 2, lua: save },
};

export type Demand = 'renew' | 'recreate';

export function readDemand(value: string | null | undefined): Demand | undefined {
  return value === 'renew' || value === 'recreate' ? value : undefined;
}

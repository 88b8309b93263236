-- Which calls have lost their holder, and which have missed their deadline?
-- After a gap in which no reaper looked (Redis stopped, or every orchestrator was down) holders could not renew either, so
-- leases are given one full lease before they count as lost.
-- KEYS 1 leases ZSET  2 deadlines ZSET  3 reaper HASH
-- ARGV 1 now ms  2 grace ms after a gap  3 gap ms  4 limit
-- Returns {lost call_ids, late call_ids}
local now = tonumber(ARGV[1])
local seen = redis.call('HMGET', KEYS[3], 'last_ms', 'grace_until_ms')
local grace_until = tonumber(seen[2] or '0')
if seen[1] and now - tonumber(seen[1]) > tonumber(ARGV[3]) then grace_until = now + tonumber(ARGV[2]) end
redis.call('HSET', KEYS[3], 'last_ms', ARGV[1], 'grace_until_ms', grace_until)
redis.call('EXPIRE', KEYS[3], 3600)
local lost = {}
if now >= grace_until then
  lost = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[4])
end
return {lost, redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[4])}

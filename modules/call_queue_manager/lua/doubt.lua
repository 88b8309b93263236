-- The phone of a call is gone, and its holder has not said so: give the holder no more time than it takes to be heard once.
-- KEYS 1 call HASH  2 leases ZSET      ARGV 1 call_id  2 the version that was read  3 silence ms after which a holder is gone
-- Returns 1 when the lease now ends earlier; 0 when the holder has moved on, has none, or would have lost it by then anyway
local held = redis.call('HMGET', KEYS[1], 'version', 'renewed_ms')
if held[1] ~= ARGV[2] or not held[2] then return 0 end
return redis.call('ZADD', KEYS[2], 'XX', 'LT', 'CH', tonumber(held[2]) + tonumber(ARGV[3]), ARGV[1])

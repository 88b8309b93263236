-- Say "I still hold this call".
-- KEYS 1 call HASH  2 leases ZSET      ARGV 1 call_id  2 token  3 expiry ms  4 now ms
-- Returns the call's version, or nil when the lease is somebody else's or gone
local held = redis.call('HMGET', KEYS[1], 'version', 'token')
if held[2] ~= ARGV[2] then return nil end
if redis.call('ZADD', KEYS[2], 'XX', 'CH', ARGV[3], ARGV[1]) == 0 and not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return nil
end
redis.call('HSET', KEYS[1], 'renewed_ms', ARGV[4])
return tonumber(held[1])

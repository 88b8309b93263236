-- Take a call away from a holder that is gone (or, by force, from one that is late). From here the old token is worthless.
-- KEYS 1 call HASH  2 leases ZSET  3 placing ZSET      ARGV 1 call_id  2 now ms  3 lease ms  4 '1' = by force
-- Returns {call_id, token, version, record}, or nil when the holder is alive after all, or the call unknown
local expiry = redis.call('ZSCORE', KEYS[2], ARGV[1])
if ARGV[4] ~= '1' and (not expiry or tonumber(expiry) > tonumber(ARGV[2])) then return nil end
local record = redis.call('HGET', KEYS[1], 'record')
if not record then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return nil
end
local token = redis.call('HINCRBY', KEYS[1], 'token', 1)
redis.call('HDEL', KEYS[1], 'renewed_ms')
redis.call('ZADD', KEYS[2], tonumber(ARGV[2]) + tonumber(ARGV[3]), ARGV[1])
return {ARGV[1], token, tonumber(redis.call('HGET', KEYS[1], 'version')), record}

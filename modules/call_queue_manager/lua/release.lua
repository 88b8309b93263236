-- Give a call's slot back; the call itself stays as it is.
-- KEYS 1 call HASH  2 leases ZSET  3 placing ZSET      ARGV 1 call_id  2 token ('' = the reaper, which may release anybody's)
-- Returns 1 when a slot was given back
local token = redis.call('HGET', KEYS[1], 'token')
if ARGV[2] ~= '' and token and token ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[3], ARGV[1])
return redis.call('ZREM', KEYS[2], ARGV[1])

-- Write a call's next version, if nobody else wrote since it was read and the writer still holds it.
-- KEYS 1 call HASH  2 ready ZSET  3 scheduled ZSET  4 leases ZSET  5 deadlines ZSET  6 events STREAM  7 call's STREAM
--      8 placing ZSET
-- ARGV 1 call_id  2 expected version  3 token ('' = writer holds no lease)  4 record JSON
--      5 queue: 'keep' | 'out' | 'ready:<rank>' | 'due:<ms>'  6 lease: 'keep' | 'drop' | expiry ms
--      7 deadline ms ('' = none)  8 ttl s  9 event type  10 event JSON  11 at ISO  12 stream length  13 stream ttl s  14 '1' when the call is no longer being placed
-- Returns {'saved', version} | {'stale'} (read again) | {'fenced'} (somebody else holds the call) | {'gone'}
local held = redis.call('HMGET', KEYS[1], 'version', 'token')
if not held[1] then return {'gone'} end
if ARGV[3] ~= '' and ARGV[3] ~= held[2] then return {'fenced'} end
if ARGV[2] ~= held[1] then return {'stale'} end
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'record', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[8])
if ARGV[5] ~= 'keep' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  local where, score = string.match(ARGV[5], '^(%a+):(.+)$')
  if where == 'ready' then redis.call('ZADD', KEYS[2], score, ARGV[1]) end
  if where == 'due' then redis.call('ZADD', KEYS[3], score, ARGV[1]) end
end
if ARGV[6] == 'drop' then
  redis.call('ZREM', KEYS[4], ARGV[1])
elseif ARGV[6] ~= 'keep' then
  redis.call('ZADD', KEYS[4], 'XX', ARGV[6], ARGV[1])
end
if ARGV[14] == '1' then redis.call('ZREM', KEYS[8], ARGV[1]) end
if ARGV[7] == '' then
  redis.call('ZREM', KEYS[5], ARGV[1])
else
  redis.call('ZADD', KEYS[5], ARGV[7], ARGV[1])
end
local id = redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[12], '*',
  'call_id', ARGV[1], 'type', ARGV[9], 'at', ARGV[11], 'data', ARGV[10])
redis.call('EXPIRE', KEYS[6], ARGV[13])
redis.call('XADD', KEYS[7], id, 'call_id', ARGV[1], 'type', ARGV[9], 'at', ARGV[11], 'data', ARGV[10])
redis.call('EXPIRE', KEYS[7], ARGV[8])
return {'saved', version}

-- Accept a call: record, queue entry, deadline, idempotency key and event in one step, or nothing.
-- KEYS 1 call HASH  2 ready ZSET  3 scheduled ZSET  4 deadlines ZSET  5 events STREAM  6 call's STREAM  7 idempotency HASH
-- ARGV 1 call_id  2 record JSON  3 rank  4 due ms ('' = now)  5 deadline ms  6 event type  7 event JSON  8 at ISO
--      9 body sha ('' = no idempotency key)  10 retention s  11 live ttl s  12 stream length  13 stream ttl s
--      14 latest µs by Redis's clock at which this may still be accepted: the caller has given up by then
-- Returns {'new', call_id} | {'known', call_id} | {'other_body', call_id} | {'too_late'}
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
if now_us > tonumber(ARGV[14]) then return {'too_late'} end
-- The client asks once more when its answer was lost on the way; by then somebody may already hold the call.
if redis.call('EXISTS', KEYS[1]) == 1 then return {'new', ARGV[1]} end
if ARGV[9] ~= '' then
  local known = redis.call('HMGET', KEYS[7], 'body_sha', 'call_id')
  if known[1] then
    return {known[1] == ARGV[9] and 'known' or 'other_body', known[2]}
  end
  redis.call('HSET', KEYS[7], 'body_sha', ARGV[9], 'call_id', ARGV[1])
  redis.call('EXPIRE', KEYS[7], ARGV[10])
end
redis.call('HSET', KEYS[1], 'version', 1, 'token', 0, 'record', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[11])
if ARGV[4] == '' then
  local place = tonumber(ARGV[3]) + now_us - 1700000000000000
  redis.call('HSET', KEYS[1], 'place', string.format('%.0f', place))
  redis.call('ZADD', KEYS[2], place, ARGV[1])
else
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
end
redis.call('ZADD', KEYS[4], ARGV[5], ARGV[1])
local id = redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[12], '*',
  'call_id', ARGV[1], 'type', ARGV[6], 'at', ARGV[8], 'data', ARGV[7])
redis.call('EXPIRE', KEYS[5], ARGV[13])
redis.call('XADD', KEYS[6], id, 'call_id', ARGV[1], 'type', ARGV[6], 'at', ARGV[8], 'data', ARGV[7])
redis.call('EXPIRE', KEYS[6], ARGV[11])
return {'new', ARGV[1]}

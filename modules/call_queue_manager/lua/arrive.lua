-- Note an inbound call: record, lease, deadline and event in one step, and whether it is let in. Its room names it: whoever
-- comes second for the same room is told which call that is.
-- KEYS 1 call HASH  2 leases ZSET  3 deadlines ZSET  4 events STREAM  5 call's STREAM  6 room HASH  7 source ZSET
--      8 overflow ZSET  9 turned away ZSET
-- ARGV 1 call_id  2 record JSON  3 event type  4 event JSON  5 at ISO  6 now ms  7 lease ms  8 deadline ms
--      9 how many calls may be held  10, 11 calls let in from this source in a minute, in an hour (0 = any number)
--      12 live ttl s  13 stream length  14 stream ttl s  15 room ttl s
--      16 how many more may be held in overflow
-- Returns {'welcome' | 'overflow' | 'full' | 'too_often' | 'known', call_id}
local known = redis.call('HMGET', KEYS[6], 'call_id', 'admission')
-- The client asks once more when its answer was lost on the way.
if known[1] == ARGV[1] then return {known[2], ARGV[1]} end
if known[1] then return {'known', known[1]} end
local now = tonumber(ARGV[6])
redis.call('ZREMRANGEBYSCORE', KEYS[7], '-inf', now - 3600000)
local a_minute, an_hour = tonumber(ARGV[10]), tonumber(ARGV[11])
-- How many of a ZSET are still on the line; the others are dropped.
local function there(set)
  local count = 0
  for _, call_id in ipairs(redis.call('ZRANGE', set, 0, -1)) do
    if redis.call('ZSCORE', KEYS[2], call_id) then count = count + 1 else redis.call('ZREM', set, call_id) end
  end
  return count
end
local overflow = there(KEYS[8])
local admission = 'welcome'
if (an_hour > 0 and redis.call('ZCARD', KEYS[7]) >= an_hour)
  or (a_minute > 0 and redis.call('ZCOUNT', KEYS[7], now - 60000, '+inf') >= a_minute) then
  admission = 'too_often'
elseif redis.call('ZCARD', KEYS[2]) - overflow - there(KEYS[9]) >= tonumber(ARGV[9]) then
  admission = overflow < tonumber(ARGV[16]) and 'overflow' or 'full'
end
if (admission == 'welcome' or admission == 'overflow') and (an_hour > 0 or a_minute > 0) then
  redis.call('ZADD', KEYS[7], now, ARGV[1])
  redis.call('EXPIRE', KEYS[7], 3600)
end
if admission ~= 'welcome' then
  local aside = admission == 'overflow' and KEYS[8] or KEYS[9]
  redis.call('ZADD', aside, now, ARGV[1])
  redis.call('EXPIRE', aside, ARGV[15])
end
redis.call('HSET', KEYS[6], 'call_id', ARGV[1], 'admission', admission)
redis.call('EXPIRE', KEYS[6], ARGV[15])
redis.call('HSET', KEYS[1], 'version', 1, 'token', 1, 'record', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[12])
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[7]), ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[8], ARGV[1])
local id = redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[13], '*',
  'call_id', ARGV[1], 'type', ARGV[3], 'at', ARGV[5], 'data', ARGV[4])
redis.call('EXPIRE', KEYS[4], ARGV[14])
redis.call('XADD', KEYS[5], id, 'call_id', ARGV[1], 'type', ARGV[3], 'at', ARGV[5], 'data', ARGV[4])
redis.call('EXPIRE', KEYS[5], ARGV[12])
return {admission, ARGV[1]}

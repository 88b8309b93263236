-- May this call's dial request leave now? A ticket counts from here until one window after its request was seen to arrive, so
-- no sliding window can hold more than the limit however slowly a granted worker acts. Calls leave in the order of their claims.
-- All by Redis's own clock: two workers' measurements of it differ by milliseconds, and a carrier counts those.
-- KEYS 1 pace ZSET  2 placing ZSET
-- ARGV 1 limit  2 window ms  3 ticket  4 ms beyond the window until an unconfirmed ticket is given up
--      5 '' = ask, 'left' = the request of this ticket has arrived  6 call_id  7 '1' = let calls that were claimed earlier go first
--      8 most requests on their way at once  9 ms to wait for another call's request
-- Returns 0 (go, or noted) or the ms to wait before asking again
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local window = tonumber(ARGV[2])
if ARGV[5] == 'left' then
  redis.call('ZADD', KEYS[1], 'XX', now + window, ARGV[3])
  return 0
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[7] == '1' and (redis.call('ZRANK', KEYS[2], ARGV[6]) or 0) > 0 then return tonumber(ARGV[9]) end
if redis.call('ZCOUNT', KEYS[1], now + window + 1, '+inf') >= tonumber(ARGV[8]) then return tonumber(ARGV[9]) end
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('ZADD', KEYS[1], now + window + tonumber(ARGV[4]), ARGV[3])
  redis.call('PEXPIRE', KEYS[1], math.ceil(window) + 60000)
  return 0
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return math.max(1, math.ceil(math.min(tonumber(first[2]) - now, window)))

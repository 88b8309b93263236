-- Take the next call that is due, if the fleet has room, under a lease with a fencing token.
-- KEYS 1 ready ZSET  2 scheduled ZSET  3 leases ZSET  4 placing ZSET
-- ARGV 1 now ms  2 concurrency limit  3 lease ms  4 prefix of call keys  5 ranks JSON by priority  6 due calls to move at once
--      7 how many calls may be between claim and dial (a pace faster than the carrier's only fills rooms that wait)
-- Returns {call_id, token, version, record} or nil
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[6])
local ranks = cjson.decode(ARGV[5])
for _, call_id in ipairs(due) do
  local call = ARGV[4] .. call_id
  local record = redis.call('HGET', call, 'record')
  local due_ms = tonumber(redis.call('ZSCORE', KEYS[2], call_id))
  redis.call('ZREM', KEYS[2], call_id)
  if record then
    local facts = cjson.decode(record)
    local place = (ranks[facts['priority']] or ranks['normal']) + due_ms * 1000 - 1700000000000000
    -- Who comes back without having been dialled was held up by us, and keeps the place in the line that it had.
    if facts['dials'] == 0 and redis.call('HSETNX', call, 'place', string.format('%.0f', place)) == 0 then
      place = redis.call('HGET', call, 'place')
    end
    redis.call('ZADD', KEYS[1], place, call_id)
  end
end
if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[2]) then return nil end
if redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[7]) then return nil end
while true do
  local first = redis.call('ZPOPMIN', KEYS[1])
  local call_id = first[1]
  if not call_id then return nil end
  local call = ARGV[4] .. call_id
  local record = redis.call('HGET', call, 'record')
  if record then
    local token = redis.call('HINCRBY', call, 'token', 1)
    redis.call('ZADD', KEYS[3], tonumber(ARGV[1]) + tonumber(ARGV[3]), call_id)
    local time = redis.call('TIME')  -- µs, so that calls of one ms keep their order
    redis.call('ZADD', KEYS[4], time[1] * 1000000 + time[2], call_id)
    return {call_id, token, tonumber(redis.call('HGET', call, 'version')), record}
  end
end

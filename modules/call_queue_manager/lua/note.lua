-- Add an event that changes no state (a turn, a measurement), if the writer still holds the call or needs not to.
-- KEYS 1 call HASH  2 events STREAM  3 call's STREAM
-- ARGV 1 call_id  2 token ('' = a sighting from outside)  3 event type  4 event JSON  5 at ISO  6 stream length  7 stream ttl s
-- Returns the event's id, or nil when the writer no longer holds the call, or the call is forgotten
local token = redis.call('HGET', KEYS[1], 'token')
if not token or (ARGV[2] ~= '' and token ~= ARGV[2]) then return nil end
local id = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*',
  'call_id', ARGV[1], 'type', ARGV[3], 'at', ARGV[5], 'data', ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[7])
redis.call('XADD', KEYS[3], id, 'call_id', ARGV[1], 'type', ARGV[3], 'at', ARGV[5], 'data', ARGV[4])
redis.call('EXPIRE', KEYS[3], math.max(redis.call('TTL', KEYS[1]), 1))
return id

-- Put off a fetch that this gateway cannot do now: its lease runs out when the pause is over, and it counts no more.
-- ARGV: id, token, pauses in ms as a list: after the first time, the second …
-- Answer: 1; 0 when it is another's, or fetched no more.
begin_in_any_case()
local id, token, pauses = unpack(ARGV)
if redis.call('HGET', key('job:' .. id), 'token') ~= token or not redis.call('ZSCORE', key('fetching'), id) then return 0 end
redis.call('HINCRBY', key('job:' .. id), 'fetches', -1)
redis.call('HSET', key('job:' .. id), 'token', '')
redis.call('ZADD', key('fetching'), now_ms() + pause_ms_of(id, cjson.decode(pauses)), id)
return 1

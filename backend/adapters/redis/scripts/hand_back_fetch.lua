-- Hand back a fetch that had begun and cannot go on: its lease has run out. It counts no more, unless that came too often.
-- ARGV: id, token, how often it may come
-- Answer: 1; 0 when it is another's, or fetched no more.
begin_in_any_case()
local id, token, most = unpack(ARGV)
if redis.call('HGET', key('job:' .. id), 'token') ~= token or not redis.call('ZSCORE', key('fetching'), id) then return 0 end
if redis.call('HINCRBY', key('job:' .. id), 'handed_back', 1) <= tonumber(most) then redis.call('HINCRBY', key('job:' .. id), 'fetches', -1) end
redis.call('HSET', key('job:' .. id), 'token', '')
redis.call('ZADD', key('fetching'), now_ms(), id)
return 1

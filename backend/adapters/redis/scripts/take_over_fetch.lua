-- Take over a fetch whose lease has run out.
-- ARGV: id, token, lease in ms
-- Answer: how often a fetch of it has begun; -1 if the lease had not run out, or the job is unknown.
begin_in_any_case()
local id, token, lease_ms = unpack(ARGV)
local until_ms = redis.call('ZSCORE', key('fetching'), id)
if not until_ms or tonumber(until_ms) > now_ms() then return -1 end
if redis.call('HEXISTS', key('job:' .. id), 'state') == 0 then return -1 end
redis.call('HSET', key('job:' .. id), 'token', token)
redis.call('ZADD', key('fetching'), now_ms() + tonumber(lease_ms), id)
return tonumber(redis.call('HGET', key('job:' .. id), 'fetches') or '0')

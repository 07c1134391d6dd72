-- Count the beginning of a fetch, and renew its lease.
-- ARGV: id, token, lease in ms
-- Answer: 1; 0 when the job is no longer wanted, or is another's; -1 when it is unknown.
begin_in_any_case()
local id, token, lease_ms = unpack(ARGV)
local job = redis.call('HMGET', key('job:' .. id), 'state', 'token')
if not job[1] then return -1 end
if job[1] ~= 'queued' or job[2] ~= token then return 0 end
redis.call('HINCRBY', key('job:' .. id), 'fetches', 1)
redis.call('ZADD', key('fetching'), now_ms() + tonumber(lease_ms), id)
return 1

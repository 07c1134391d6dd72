-- Put a running job, whose encoder is lost, at the head of the queue.
-- ARGV: id
-- Answer: how often it was tried; -1 when it does not run.
begin_in_any_case()
local id = unpack(ARGV)
redis.call('ZREM', key('running'), id)
local job = redis.call('HMGET', key('job:' .. id), 'state', 'client', 'tries', 'manifest')
if job[1] ~= 'running' then return -1 end
announce_stop(id)
redis.call('HSET', key('job:' .. id), 'token', '')
add(key('totals'), {encoders_lost = 1})
release_followers(id, job[4])
put_back(id, job[2], job[4])
return tonumber(job[3])

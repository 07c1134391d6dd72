-- Put off a running job that its encoder cannot end now: it keeps its state, and its lease runs out when the pause is over. So the Janitor of an
-- earlier version queues it again too. What follows the job waits with it.
-- ARGV: id, token, pauses in ms as a list: after the first time, the second …, and how often the codec's child has died over the image now
-- Answer: how often that was so far; -1 when the job is another's, or does not run.
begin_in_any_case()
local id, token, pauses, died = unpack(ARGV)
local job = redis.call('HMGET', key('job:' .. id), 'state', 'token')
if job[1] ~= 'running' or job[2] ~= token then return -1 end
local until_ms = now_ms() + pause_ms_of(id, cjson.decode(pauses))
redis.call('HSET', key('job:' .. id), 'token', '', 'paused', 1)
redis.call('HINCRBY', key('job:' .. id), 'tries', -1)
for _, each in ipairs({id, unpack(redis.call('SMEMBERS', key('twins:' .. id)))}) do
  redis.call('ZADD', key('running'), 'XX', until_ms, each)
end
return redis.call('HINCRBY', key('job:' .. id), 'deaths', died)

-- Tell the encoder of a running job that somebody watches the job from now on. A follower's progress comes from its leader's encoder.
-- ARGV: id
-- Answer: how many encoders heard it.
local id = unpack(ARGV)
local job = redis.call('HMGET', key('job:' .. id), 'state', 'token', 'leader')
if job[1] ~= 'running' then return 0 end
local token = (job[3] or '') ~= '' and redis.call('HGET', key('job:' .. job[3]), 'token') or job[2]
local encoder = string.match(token or '', '^(.+)%-')
return encoder and redis.call('PUBLISH', key('watched:' .. encoder), token) or 0

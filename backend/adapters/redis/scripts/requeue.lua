-- Queue a running job again, whose pause is over or whose encoder is lost: at the head, unless that came often.
-- ARGV: id, and optionally 'paused': only a job whose pause is over
-- Answer: how many encoders were lost over it and did not come back; -1 when it does not run, or is not paused.
begin_in_any_case()
local id, only_paused = unpack(ARGV)
local often_lost, often_paused = 3, 20
local job = redis.call('HMGET', key('job:' .. id), 'state', 'client', 'manifest', 'token', 'paused', 'pauses', 'lost')
if only_paused and not job[5] then return -1 end
redis.call('ZREM', key('running'), id)
if job[1] ~= 'running' then return -1 end
announce_stop(id)
local lost, token = job[7] or '', job[4] or ''
if not job[5] then
  add(key('totals'), {encoders_lost = 1})
  if token ~= '' then lost = lost .. token .. ' ' end
end
redis.call('HDEL', key('job:' .. id), 'paused')
redis.call('HSET', key('job:' .. id), 'token', '', 'lost', lost)
release_followers(id, job[3])
local _, losses = string.gsub(lost, ' ', '')
local at_head = losses < often_lost and tonumber(job[6] or '0') < often_paused
put_back(id, job[2], job[3], at_head)
return losses

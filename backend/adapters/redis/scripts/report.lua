-- Renew the lease of a running job and of those that follow it, and record a change.
-- A job that waits and was never given out was queued by a rebuild just now: who reports had it from the state before, so it is unknown.
-- Of an ephemeral job nobody watches anything but the end.
-- ARGV: id, token, lease in ms, patch ('' for none)
-- Answer: {the job's seq, how many subscribers received the change}; the seq is 0 when the job is another's, -1 when it is unknown.
begin_in_any_case()
local id, token, lease_ms, patch = unpack(ARGV)
local job = redis.call('HMGET', key('job:' .. id), 'state', 'token', 'seq', 'tries', 'passing', 'status')
if not job[1] or (job[1] == 'queued' and job[4] == '0') then return {-1, 0} end
if job[1] ~= 'running' or job[2] ~= token then return {0, 0} end
local until_ms, listeners = now_ms() + tonumber(lease_ms), 0

-- A result is a file in its own job's folder: followers get theirs at the end.
local function told(job_id)
  local fields = cjson.decode(patch)
  if job_id ~= id then fields.results = nil end
  return fields
end

local changes_followers = patch ~= '' and next(told('')) ~= nil

local function report(job_id, status)
  local seq, heard = change(job_id, told(job_id), status)
  listeners = listeners + heard
  return seq
end

redis.call('ZADD', key('running'), until_ms, id)
for _, follower in ipairs(redis.call('SMEMBERS', key('twins:' .. id))) do
  local other = redis.call('HMGET', key('job:' .. follower), 'state', 'leader', 'passing')
  if other[1] == 'running' and other[2] == id then
    redis.call('ZADD', key('running'), until_ms, follower)
    if changes_followers and not other[3] then report(follower) end
  end
end
local seq = tonumber(job[3])
if patch ~= '' and not job[5] then seq = report(id, cjson.decode(job[6])) end
return {seq, listeners}

-- Renew the lease on a job whose source is fetched, and record the progress.
-- ARGV: id, token, lease in ms, percent
-- Answer: 1; 0 when the job is no longer wanted, or is another's; -1 when it is unknown.
begin_in_any_case()
local id, token, lease_ms, percent = unpack(ARGV)
percent = tonumber(percent)
local job = redis.call('HMGET', key('job:' .. id), 'state', 'token', 'status')
if not job[1] then return -1 end
if job[1] ~= 'queued' or job[2] ~= token then return 0 end
redis.call('ZADD', key('fetching'), now_ms() + tonumber(lease_ms), id)
if percent > cjson.decode(job[3]).progress then change(id, {progress = percent}) end
return 1

-- Give out the next job in fair order. A job whose work is being encoded follows the job that is, and the next one is looked at.
-- ARGV: token, lease in ms
-- Answer: {manifest, status, ids of completed duplicates}; nil when no job waits.
begin_in_any_case()
local token, lease_ms = unpack(ARGV)
while true do
  local head = redis.call('ZPOPMIN', key('queue'))
  if #head == 0 then return nil end
  local id = head[1]
  redis.call('ZREM', key('waiting'), id)
  redis.call('SET', key('queue:now'), string.format('%.0f', math.floor(tonumber(head[2]) / 1048576)))
  local job = redis.call('HMGET', key('job:' .. id), 'state', 'manifest', 'status', 'client')
  if job[4] then leave_line(id, job[4]) end
  if job[1] == 'queued' then
    local now = now_ms()
    local tries = redis.call('HINCRBY', key('job:' .. id), 'tries', 1)
    local work_key = work_key_of(job[2])
    local leader = work_key and redis.call('GET', key('leader:' .. work_key))
    local begun = {state = 'running', stage = 'decode', progress = cjson.decode(job[3]).progress, started_at = now / 1000, attempt = tries,
                   position = cjson.null, eta_s = cjson.null}
    redis.call('ZADD', key('running'), now + tonumber(lease_ms), id)
    if leader and redis.call('HGET', key('job:' .. leader), 'state') == 'running' then
      local ahead = cjson.decode(redis.call('HGET', key('job:' .. leader), 'status'))
      begun.stage, begun.progress, begun.eta_s = ahead.stage, math.max(begun.progress, ahead.progress), ahead.eta_s
      redis.call('HSET', key('job:' .. id), 'token', '', 'leader', leader)
      redis.call('SADD', key('twins:' .. leader), id)
      redis.call('EXPIRE', key('twins:' .. leader), 86400)
      change(id, begun)
    else
      if work_key then redis.call('SET', key('leader:' .. work_key), id, 'EX', 86400) end
      redis.call('HSET', key('job:' .. id), 'token', token, 'leader', '')
      change(id, begun)
      local duplicates = work_key and redis.call('ZREVRANGE', key('same:' .. work_key), 0, 7) or {}
      return {job[2], redis.call('HGET', key('job:' .. id), 'status'), duplicates}
    end
  end
end

-- Announce new positions in the queue, in steps of a tenth: so a thousand waiting jobs are not a thousand changes a second.
-- Answer: how many positions were announced.
local most = 2000
local encoders, mean, announced = encoder_count(), mean_ms(), 0
for _, id in ipairs(redis.call('ZRANGE', key('queue'), 0, most - 1)) do
  local job = redis.call('HMGET', key('job:' .. id), 'status', 'client')
  if job[1] then
    local rank, status = rank_of(id, job[2] or ''), cjson.decode(job[1])
    local known = tonumber(status.position)
    if not known or math.abs(known - rank) >= math.max(1, known / 10) then
      place(status, rank, encoders, mean)
      change(id, {position = status.position, eta_s = status.eta_s})
      announced = announced + 1
    end
  end
end
return announced

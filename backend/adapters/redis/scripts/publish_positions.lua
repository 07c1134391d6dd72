-- Announce new positions in the queue, in steps of a tenth: so a thousand waiting jobs are not a thousand changes a second.
-- Answer: how many positions were announced.
local most = 2000
local encoders, mean, announced = encoder_count(), mean_ms(), 0
for index, id in ipairs(redis.call('ZRANGE', key('queue'), 0, most - 1)) do
  local text = redis.call('HGET', key('job:' .. id), 'status')
  if text then
    local rank, status = index - 1, cjson.decode(text)
    local known = tonumber(status.position)
    if not known or math.abs(known - rank) >= math.max(1, known / 10) then
      place(status, rank, encoders, mean)
      change(id, {position = status.position, eta_s = status.eta_s})
      announced = announced + 1
    end
  end
end
return announced

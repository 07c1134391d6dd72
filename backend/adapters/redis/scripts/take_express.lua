-- Give out a small job beyond the encoders, while they are all busy: in fair order the first of a client of whom nothing runs. Where more large
-- jobs run than small ones, each of those lends its machine's place: then also the first of any client.
-- ARGV: token, lease in ms, the newest protocol that the encoder speaks
-- Answer: as ``take``; nil when none may be given out.
begin_in_any_case()
local token, lease_ms, speaks = unpack(ARGV)
local looked_at, small_less_large, has_work = 50, 0, {}
if not is_express_open() then return nil end

-- Who sent a job, and whether it is small and understood here. One that the version before queued has its cost in its manifest alone.
local function look_at(id)
  local job = redis.call('HMGET', key('job:' .. id), 'client', 'cost', 'needs')
  if not job[1] then return nil end
  local cost = tonumber(job[2]) or cost_of(manifest_of(redis.call('HGET', key('job:' .. id), 'manifest')))
  return job[1], cost <= express_cost, not job[3] or tonumber(job[3]) <= tonumber(speaks)
end

for _, id in ipairs(redis.call('ZRANGE', key('running'), 0, -1)) do
  local client, is_small = look_at(id)
  if client then
    has_work[words_of(client)] = true
    small_less_large = small_less_large + (is_small and 1 or -1)
  end
end

local chosen, chosen_client
for _, id in ipairs(redis.call('ZRANGE', key('queue'), 0, looked_at - 1)) do
  local client, is_small, is_understood = look_at(id)
  is_small = is_small and is_understood
  if is_small and not has_work[words_of(client)] then
    chosen, chosen_client = id, client
    break
  end
  if is_small and small_less_large < 0 and not chosen then chosen, chosen_client = id, client end
end
if not chosen then return nil end
leave_queue(chosen, chosen_client)
return give_out(chosen, token, lease_ms, speaks) or nil

-- Give out this job beyond the encoders, if they are still all busy, and none of them with a job of its client.
-- ARGV: id, token, lease in ms, the newest protocol that the encoder speaks
-- Answer: as ``take``; nil when the job waits for its turn, or no longer.
begin_in_any_case()
local id, token, lease_ms, speaks = unpack(ARGV)
local client = redis.call('HGET', key('job:' .. id), 'client')
if not client or not are_encoders_busy() or not redis.call('ZSCORE', key('queue'), id) then return nil end
for _, other in ipairs(redis.call('ZRANGE', key('running'), 0, -1)) do
  if words_of(redis.call('HGET', key('job:' .. other), 'client') or '') == words_of(client) then return nil end
end
local needs = redis.call('HGET', key('job:' .. id), 'needs')
if needs and tonumber(needs) > tonumber(speaks) then return nil end
leave_queue(id, client)
return give_out(id, token, lease_ms, speaks) or nil

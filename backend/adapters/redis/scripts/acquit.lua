-- An encoder that was taken for lost works after all: only its link was. That counts no more.
-- ARGV: id, the token under which it had the job
-- Answer: 1 if it was counted, else 0.
begin_in_any_case()
local id, token = unpack(ARGV)
local lost = redis.call('HGET', key('job:' .. id), 'lost') or ''
local at, stop = string.find(lost, token .. ' ', 1, true)
if not at then return 0 end
redis.call('HSET', key('job:' .. id), 'lost', string.sub(lost, 1, at - 1) .. string.sub(lost, stop + 1))
if tonumber(redis.call('HGET', key('job:' .. id), 'tries')) > 1 then redis.call('HINCRBY', key('job:' .. id), 'tries', -1) end
return 1

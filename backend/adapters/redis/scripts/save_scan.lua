-- Begin, save or end a scan of the store. Only the holder of the duty may, and only the scan that is under way.
-- ARGV: 'begin', 'save' or 'end'; duty, holder, the scan's id, the scan (JSON), run of the server, and for 'end' the epoch
-- Answer: 1; 0 when another holds the duty, another scan is under way, or the state was lost.
begin_in_any_case()
local step, duty, holder, id, text, run, epoch = unpack(ARGV)
if redis.call('GET', key('duty:' .. duty)) ~= holder then return 0 end
local scan = key('scan')
if step == 'begin' then
  redis.call('DEL', key('scan:wanted'))
elseif redis.call('HGET', scan, 'id') ~= id or redis.call('HGET', scan, 'run') ~= run then
  return 0
end
if step == 'end' then
  redis.call('SET', key('epoch'), epoch)
  redis.call('DEL', scan)
else
  redis.call('HSET', scan, 'id', id, 'run', run, 'scan', text)
end
return 1

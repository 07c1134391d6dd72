-- Take or renew a duty. One call, since every gateway process asks once a second.
-- ARGV: name, holder, ms
-- Answer: 1 if it is the holder's now, else 0.
begin_in_any_case()
local name, holder, ms = unpack(ARGV)
local duty = key('duty:' .. name)
local present = redis.call('GET', duty)
if present and present ~= holder then return 0 end
redis.call('SET', duty, holder, 'PX', ms)
return 1

-- Push the tickets that are missing, so that each waiting job has one in the list.
-- Answer: how many were pushed.
begin_in_any_case()
local pushed = 0
while push_ticket(redis.call('INCR', key('queue:serial'))) == 1 do pushed = pushed + 1 end
return pushed

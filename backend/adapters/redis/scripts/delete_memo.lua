-- Delete a memo that has this value.
-- ARGV: name, value ('' for any), group ('' for none)
-- Answer: 1 if it is gone, else 0.
local name, value, group = unpack(ARGV)
if value ~= '' and redis.call('GET', key('memo:' .. name)) ~= value then return 0 end
redis.call('DEL', key('memo:' .. name))
if group ~= '' then redis.call('ZREM', key('memos:' .. group), name) end
return 1

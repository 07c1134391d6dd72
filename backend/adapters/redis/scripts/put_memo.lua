-- Keep a memo unless there is one. Of a group only the newest ``most`` are kept.
-- ARGV: name, value, seconds, group ('' for none), most
-- Answer: 1 if it was put, else 0.
local name, value, seconds, group, most = unpack(ARGV)
if not redis.call('SET', key('memo:' .. name), value, 'NX', 'EX', seconds) then return 0 end
if group ~= '' then
  local memos = key('memos:' .. group)
  redis.call('ZREMRANGEBYSCORE', memos, '-inf', now_ms() - 1000 * seconds)
  redis.call('ZADD', memos, now_ms(), name)
  redis.call('EXPIRE', memos, seconds)
  while redis.call('ZCARD', memos) > tonumber(most) do redis.call('DEL', key('memo:' .. redis.call('ZPOPMIN', memos)[1])) end
end
return 1

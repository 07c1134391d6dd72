-- Which of these jobs lack an entry in the index.
-- ARGV: ids
-- Answer: their ids.
local found = {}
for _, id in ipairs(ARGV) do
  local maker = redis.call('HGET', key('listers'), id)
  local is_listed = not maker or redis.call('ZSCORE', key('listed:' .. maker), id)
  if not is_listed or not redis.call('ZSCORE', key('expiry'), id) then found[#found + 1] = id end
end
return found

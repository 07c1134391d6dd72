-- Which of these jobs are unknown. One that has ended and left Redis is known.
-- ARGV: ids
-- Answer: their ids.
local found = {}
for _, id in ipairs(ARGV) do
  if redis.call('HEXISTS', key('job:' .. id), 'state') == 0 and not end_of(id) then found[#found + 1] = id end
end
return found

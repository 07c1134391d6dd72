-- Which of these jobs are unknown.
-- ARGV: ids
-- Answer: their ids.
local found = {}
for _, id in ipairs(ARGV) do
  if redis.call('EXISTS', key('job:' .. id)) == 0 then found[#found + 1] = id end
end
return found

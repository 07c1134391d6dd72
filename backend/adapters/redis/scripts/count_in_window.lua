-- Add to a counter that ends with its window.
-- ARGV: name, amount, window in s
-- Answer: {the count, seconds until the window ends}.
local name, amount, window_s = unpack(ARGV)
local counter = key('count:' .. name)
local count = redis.call('INCRBY', counter, amount)
if redis.call('TTL', counter) < 0 then redis.call('EXPIRE', counter, window_s) end
return {count, redis.call('TTL', counter)}

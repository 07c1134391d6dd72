-- From now on an encoder may be rung. One that was rung and does not know it yet is rung no second time.
-- ARGV: name, ms
-- Answer: 1 if it rests now.
local name, ms = unpack(ARGV)
if redis.call('EXISTS', key('stroke:' .. name)) == 1 then return 0 end
return redis.call('ZADD', key('resting'), now_ms() + tonumber(ms), name)

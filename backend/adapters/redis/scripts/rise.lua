-- An encoder rests no more.
-- ARGV: name
-- Answer: strokes that nobody has answered.
local name = unpack(ARGV)
redis.call('ZREM', key('resting'), name)
local strokes = redis.call('LLEN', key('stroke:' .. name))
redis.call('DEL', key('stroke:' .. name))
return strokes

-- What a client uses of its share.
-- ARGV: client
-- Answer: {jobs under way, bytes of its day, seconds until that day ends, jobs of all clients that wait}
local client = unpack(ARGV)
local bytes = key('bytes:' .. client)
return {underway(client), redis.call('GET', bytes) or '0', math.max(0, redis.call('TTL', bytes)), redis.call('ZCARD', key('queue'))}

-- What shows that keys were lost. A serial that was lost is raised again: jobs that come now would go before those that wait.
-- ARGV: the serial as it was
-- Answer: {waiting, queued, indexed, listed, serial}
begin_in_any_case()
local known = tonumber(redis.call('GET', key('queue:serial')) or '0')
if known < tonumber(ARGV[1]) then known = redis.call('INCRBY', key('queue:serial'), ARGV[1]) end
return {redis.call('ZCARD', key('waiting')), redis.call('ZCARD', key('queue')), redis.call('ZCARD', key('expiry')),
        redis.call('HLEN', key('listers')), known}

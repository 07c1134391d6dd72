-- All counts at one moment.
-- Answer: {now in ms; how many jobs are queued, running, succeeded, failed, cancelled; when the oldest waiting job was made, or '';
--          totals; encoders; the sums of the last minute and a little more; how many seconds these span; mean of a conversion in ms, or 0;
--          how many webhooks are pending; gateways}
local now, sums = now_ms(), {}
local newest = math.floor(now / 10000)
for n = newest - 6, newest do
  local amounts = redis.call('HGETALL', key('pace:' .. n))
  for i = 1, #amounts, 2 do sums[amounts[i]] = (sums[amounts[i]] or 0) + tonumber(amounts[i + 1]) end
end

local function size(name) return redis.call('ZCARD', key(name)) end

local oldest = redis.call('ZRANGE', key('waiting'), 0, 0, 'WITHSCORES')
return {tostring(now), size('queue'), size('running'), size('ended:succeeded'), size('ended:failed'), size('ended:cancelled'),
        oldest[2] or '', redis.call('HGETALL', key('totals')), redis.call('HVALS', key('encoders')),
        next(sums) and cjson.encode(sums) or '{}', tostring(60 + now % 10000 / 1000), tostring(mean_ms() or 0),
        redis.call('HLEN', key('webhooks:known')), redis.call('HVALS', key('gateways'))}

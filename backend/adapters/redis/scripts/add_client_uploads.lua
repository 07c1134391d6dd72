-- Count a client's unfinished resumable uploads, without those that have expired.
-- ARGV: client, how many it may have ('' for any number), when an upload expires in s, its id, when the next one expires …
-- Answer: 1; 0 when there are so many others already.
begin_if_there_is_room()
local uploads, limit, latest = key('uploads:' .. ARGV[1]), tonumber(ARGV[2]), 0
local now = math.floor(now_ms() / 1000)
redis.call('ZREMRANGEBYSCORE', uploads, '-inf', now)
for i = 3, #ARGV, 2 do
  if limit and redis.call('ZCARD', uploads) >= limit and not redis.call('ZSCORE', uploads, ARGV[i + 1]) then return 0 end
  redis.call('ZADD', uploads, ARGV[i], ARGV[i + 1])
  latest = math.max(latest, tonumber(ARGV[i]))
end
if redis.call('TTL', uploads) < latest - now then redis.call('EXPIRE', uploads, latest - now) end
return 1

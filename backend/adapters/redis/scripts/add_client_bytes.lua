-- Count what clients sent. A client's day begins with its first bytes.
-- ARGV: client, bytes, client, bytes …
-- Answer: 1.
for i = 1, #ARGV, 2 do
  local bytes = key('bytes:' .. ARGV[i])
  redis.call('INCRBY', bytes, ARGV[i + 1])
  if redis.call('TTL', bytes) < 0 then redis.call('EXPIRE', bytes, 86400) end
end
return 1

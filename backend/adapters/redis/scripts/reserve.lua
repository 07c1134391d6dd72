-- Make a job known whose source is still to be fetched, unless it is known.
-- ARGV: id, manifest, status, client, expire_at, limit ('' for none), jobs that the client may have ('' for any number),
--       amounts of a new job, token, lease in ms, fetches that have begun
-- Answer: the status; -1 when so many jobs wait or are fetched; -3 when the client has so many.
begin_if_there_is_room()
local id, manifest, status_text, client, expire_at, limit, share, amounts, token, lease_ms, fetches = unpack(ARGV)
limit = tonumber(limit)
if redis.call('EXISTS', key('job:' .. id)) == 0 then
  if limit and redis.call('ZCARD', key('queue')) + redis.call('ZCARD', key('fetching')) >= limit then return -1 end
  if has_used_its_share(client, share) then return -3 end
  add(key('totals'), cjson.decode(amounts))
  create(id, manifest, cjson.decode(status_text), client, expire_at)
  redis.call('HSET', key('job:' .. id), 'token', token, 'fetches', fetches)
  redis.call('ZADD', key('fetching'), now_ms() + tonumber(lease_ms), id)
end
return redis.call('HGET', key('job:' .. id), 'status')

-- Queue a reserved job, whose manifest has its source now.
-- ARGV: id, manifest, status, client, expire_at, amounts of a job that was unknown, amounts of its source
-- Answer: the status.
local id, manifest, status_text, client, expire_at, created, attached = unpack(ARGV)
local known = redis.call('HMGET', key('job:' .. id), 'state', 'status')
if not known[1] then
  add(key('totals'), cjson.decode(created))
  known = {'queued', create(id, manifest, cjson.decode(status_text), client, expire_at)}
end
redis.call('HSET', key('job:' .. id), 'manifest', manifest, 'token', '', 'cost', cost_of(manifest_of(manifest)))
redis.call('ZREM', key('fetching'), id)
if known[1] == 'queued' and not redis.call('ZSCORE', key('queue'), id) then
  add(key('totals'), cjson.decode(attached))
  line_up(id, client, manifest, false)
  local status = cjson.decode(known[2])
  place(status, rank_of(id, client), encoder_count(), mean_ms())
  change(id, {}, status)
end
return redis.call('HGET', key('job:' .. id), 'status')

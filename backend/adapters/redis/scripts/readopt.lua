-- Make a running job known again after the state was lost.
-- ARGV: id, manifest, status, client, expire_at, token, lease in ms, amounts of a job that was unknown
-- Answer: 1; 0 when another encoder has it.
local id, manifest, status_text, client, expire_at, token, lease_ms, created = unpack(ARGV)
local state = redis.call('HGET', key('job:' .. id), 'state')
if state and state ~= 'queued' then return 0 end
remove_from_queue(id)
local status = cjson.decode(status_text)
if state then
  local known = cjson.decode(redis.call('HGET', key('job:' .. id), 'status'))
  status.seq = math.max(known.seq, status.seq)
  change(id, status)
else
  create(id, manifest, status, client, expire_at)
  add(key('totals'), cjson.decode(created))
end
redis.call('HSET', key('job:' .. id), 'token', token, 'tries', 1)
redis.call('ZADD', key('running'), now_ms() + tonumber(lease_ms), id)
return 1

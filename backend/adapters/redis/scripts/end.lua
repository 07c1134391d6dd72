-- End a job. An end that is recorded already stands.
-- ARGV: id, manifest, status, client, expire_at, patch of the end, ms that the conversion took (''),
--       amounts of the end, of a job that was unknown, of the last minute,
--       and optionally 'alone': leave a job that has followers, or 'known': leave also one that is unknown
-- Answer: the status as recorded; -2 when the job was left.
begin_in_any_case()
local id, manifest, status_text, client, expire_at, patch_text, took_ms, ended, created, pace, condition = unpack(ARGV)
if condition and redis.call('EXISTS', key('twins:' .. id)) == 1 then return -2 end
local state = redis.call('HGET', key('job:' .. id), 'state')
if condition == 'known' and not state then return -2 end
local is_open = state and not has_ended(state)
if state ~= 'running' then remove_from_queue(id) end
redis.call('ZREM', key('running'), id)
if not state or is_open then
  add(key('totals'), cjson.decode(ended))
  local sums = key('pace:' .. math.floor(now_ms() / 10000))
  add(sums, cjson.decode(pace))
  redis.call('EXPIRE', sums, 120)
end
if not state then
  add(key('totals'), cjson.decode(created))
  create(id, manifest, status_text, client, expire_at)
elseif is_open then
  if took_ms ~= '' then
    redis.call('LPUSH', key('recent'), took_ms)
    redis.call('LTRIM', key('recent'), 0, 19)
  end
  local patch = cjson.decode(patch_text)
  if patch.state == 'cancelled' then announce_stop(id) end
  redis.call('HSET', key('job:' .. id), 'token', '')
  change(id, patch)
end
if redis.call('HGET', key('job:' .. id), 'state') == 'succeeded' then note_result(id, manifest, expire_at) end
release_followers(id, manifest)
return redis.call('HGET', key('job:' .. id), 'status')

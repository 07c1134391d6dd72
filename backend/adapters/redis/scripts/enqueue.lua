-- Queue a job unless it is known.
-- ARGV: id, manifest, status, client, expire_at, limit ('' for none), amounts of a new job, then to submit: the messages' name
-- Answer: the status; -1 when the queue is full. To submit: {the status, 1 if an encoder hears of it}; -2 when the job has completed
-- duplicates, and nothing has changed then.
local id, manifest, status_text, client, expire_at, limit, amounts, messages = unpack(ARGV)
limit = tonumber(limit)
local is_heard = 0
if redis.call('EXISTS', key('job:' .. id)) == 0 then
  local work_key = messages and work_key_of(manifest)
  if work_key and redis.call('EXISTS', key('same:' .. work_key)) == 1 then return -2 end
  if limit and redis.call('ZCARD', key('queue')) >= limit then return -1 end
  add(key('totals'), cjson.decode(amounts))
  line_up(id, client, manifest, false)
  local status = cjson.decode(status_text)
  place(status, redis.call('ZRANK', key('queue'), id), encoder_count(), mean_ms())
  create(id, manifest, cjson.encode(status), client, expire_at)
  if messages and ring(messages, 1) == 0 then is_heard = 1 end
end
local recorded = redis.call('HGET', key('job:' .. id), 'status')
return messages and {recorded, is_heard} or recorded

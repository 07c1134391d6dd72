-- Queue a job unless it is known.
-- ARGV: id, manifest, status, client, expire_at, limit ('' for none), jobs that the client may have ('' for any number),
--       amounts of a new job,
--       and optionally 'unless duplicate': leave a job that has completed duplicates
-- Answer: the status; -1 when the queue is full; -2 when the job was left; -3 when the client has so many jobs.
begin_if_there_is_room()
local id, manifest, status_text, client, expire_at, limit, share, amounts, condition = unpack(ARGV)
limit = tonumber(limit)
local known = redis.call('HGET', key('job:' .. id), 'status')
if known then return known end
local work_key = condition and work_key_of(manifest)
if work_key and redis.call('EXISTS', key('same:' .. work_key)) == 1 then return -2 end
if limit and redis.call('ZCARD', key('queue')) >= limit then return -1 end
if has_used_its_share(client, share) then return -3 end
add(key('totals'), cjson.decode(amounts))
line_up(id, client, manifest, false)
local status = cjson.decode(status_text)
place(status, rank_of(id, client), encoder_count(), mean_ms())
return create(id, manifest, status, client, expire_at)

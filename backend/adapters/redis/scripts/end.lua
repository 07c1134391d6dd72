-- End a job. An end that is recorded already stands.
-- ARGV: id, manifest, status as the store has it, client, expire_at, ms that the conversion took (''), amounts of the end, of a job that was
--       unknown, of the last minute, and optionally 'alone': leave a job that has followers, or 'known': leave also one that is unknown
-- Answer: the status as recorded; -2 when the job was left.
begin_in_any_case()
local id, manifest, status_text, client, expire_at, took_ms, ended, created, pace, condition = unpack(ARGV)
if condition and redis.call('EXISTS', key('twins:' .. id)) == 1 then return -2 end
local job = redis.call('HMGET', key('job:' .. id), 'state', 'status')
local state, text, stored = job[1], job[2], cjson.decode(status_text)
if condition == 'known' and not state then return -2 end
if not state and end_of(id) then return bring_back(id, manifest, stored, client, expire_at, 0) end
local is_known_end = state and has_ended(state)
if state ~= 'running' then remove_from_queue(id) end
redis.call('ZREM', key('running'), id)
if not is_known_end then
  add(key('totals'), cjson.decode(ended))
  local sums = key('pace:' .. math.floor(now_ms() / 10000))
  add(sums, cjson.decode(pace))
  redis.call('EXPIRE', sums, 120)
end
if not state then
  add(key('totals'), cjson.decode(created))
  text = create(id, manifest, stored, client, expire_at)
elseif not is_known_end then
  if took_ms ~= '' then
    redis.call('LPUSH', key('recent'), took_ms)
    redis.call('LTRIM', key('recent'), 0, 19)
  end
  if stored.state == 'cancelled' then announce_stop(id) end
  local known, stored_seq = cjson.decode(text), stored.seq
  stored.seq, stored.attempt, stored.started_at = known.seq, known.attempt, known.started_at
  local seq, _, changed = change(id, stored, known, 'token', '')
  text = changed
  settle(id, client, expire_at, stored.state, text)
  note_seq(id, seq, stored_seq)
end
if (is_known_end and state or stored.state) == 'succeeded' then note_result(id, manifest, expire_at) end
release_followers(id, manifest)
return text

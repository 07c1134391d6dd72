-- Give out the next job in fair order. A job whose work is being encoded follows the job that is, and the next one is looked at. So is the next
-- one after a job that needs a newer protocol than this encoder speaks; that one keeps its place for another encoder. Where nothing but such jobs
-- was found, those go behind the others, so that the next look finds what can be done.
-- ARGV: token, lease in ms, the newest protocol that the encoder speaks
-- Answer: {manifest, status, ids of completed duplicates, how many watch the job, how many jobs are left in the queue, how many encoders there
--         are}; nil when no job waits; 1 when those that were looked at need a newer protocol.
begin_in_any_case()
local token, lease_ms, speaks = unpack(ARGV)
local most_looked_at, beyond, claim = 32, {}, nil
while not claim and #beyond < most_looked_at do
  local id = next_in_queue()
  if not id then break end
  local given, is_beyond = give_out(id, token, lease_ms, speaks)
  claim = given
  if is_beyond then table.insert(beyond, id) end
end
for i = 1, #beyond do
  local id = claim and beyond[#beyond + 1 - i] or beyond[i]
  local job = redis.call('HMGET', key('job:' .. id), 'client', 'manifest')
  line_up(id, job[1], job[2], claim and true or false)
end
return claim or (#beyond > 0 and 1) or nil

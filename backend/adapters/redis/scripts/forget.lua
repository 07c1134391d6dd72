-- Delete everything that is known of a job, and announce that with an empty text.
-- ARGV: id
-- Answer: 1.
begin_in_any_case()
local id = unpack(ARGV)
local job = redis.call('HMGET', key('job:' .. id), 'state', 'manifest')
local state, manifest = job[1], job[2]
if state and not has_ended(state) then add(key('totals'), {['ended:erased:'] = 1}) end
announce_stop(id)
remove_from_queue(id)
leave_share(id)
for _, name in ipairs({'running', 'expiry', 'ended:succeeded', 'ended:failed', 'ended:cancelled'}) do redis.call('ZREM', key(name), id) end
local maker = redis.call('HGET', key('listers'), id)
if maker then
  redis.call('ZREM', key('listed:' .. maker), id)
  redis.call('HDEL', key('listers'), id)
end
redis.call('DEL', key('job:' .. id), key('log:' .. id))
redis.call('HDEL', key('seqs'), id)
if manifest then
  release_followers(id, manifest)
  local work_key = work_key_of(manifest)
  if work_key then redis.call('ZREM', key('same:' .. work_key), id) end
end
redis.call('PUBLISH', key('ended:' .. id), '')
redis.call('PUBLISH', key('changed:' .. id), '')
return 1

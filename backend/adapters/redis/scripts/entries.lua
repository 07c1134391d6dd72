-- A maker's jobs, newest first. Jobs of the same instant are ordered by their ids.
-- ARGV: maker, from: made no later than this, before: if made just then, with a lesser id than this (''), limit
-- Answer: a list of {id, created_at, manifest or '', status or '', state of an ended job that has left Redis or ''}.
local maker, from, before, limit = unpack(ARGV)
limit = tonumber(limit)
local found, offset = {}, 0
while #found < limit do
  local page = redis.call('ZREVRANGEBYSCORE', key('listed:' .. maker), from, '-inf', 'WITHSCORES', 'LIMIT', offset, limit)
  if #page == 0 then break end
  for i = 1, #page, 2 do
    local id, created_at = page[i], page[i + 1]
    local is_later = before ~= '' and tonumber(created_at) == tonumber(from) and id >= before
    if not is_later and #found < limit then
      local job = redis.call('HMGET', key('job:' .. id), 'manifest', 'status')
      found[#found + 1] = {id, created_at, job[1] or '', job[2] or '', not job[1] and end_of(id) or ''}
    end
  end
  offset = offset + limit
end
return found

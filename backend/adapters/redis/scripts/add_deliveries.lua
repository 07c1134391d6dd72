-- Make deliveries of webhooks known. A known one stays as it is, unless 'hastens' is given, or its place among those that wait was lost.
-- ARGV: list of {id, client, host, due in ms}, and optionally 'hastens'
-- Answer: how many were unknown.
begin_in_any_case()
local waiting, hastens = unpack(ARGV)
local added = 0
for _, each in ipairs(cjson.decode(waiting)) do
  local id, client, host, due_ms = unpack(each)
  local is_new = redis.call('HSETNX', key('webhooks:known'), id, host .. ' ' .. client) == 1
  if is_new then
    redis.call('HINCRBY', key('webhooks:counts'), client, 1)
    added = added + 1
  end
  if is_new or hastens then
    await_try(id, host, client, due_ms)
  else
    local waits_at = redis.call('ZSCORE', key('webhooks:due:' .. client .. ' ' .. host), id)
    if waits_at or not redis.call('ZSCORE', key('webhooks:leased'), id) then await_try(id, host, client, waits_at or due_ms) end
  end
end
return added

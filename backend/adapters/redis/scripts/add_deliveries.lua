-- Make deliveries of webhooks known. A known one stays as it is, unless 'hastens' is given.
-- ARGV: list of {id, client, host, due in ms}, and optionally 'hastens'
-- Answer: how many were unknown.
local waiting, hastens = unpack(ARGV)
local added = 0
for _, each in ipairs(cjson.decode(waiting)) do
  local id, client, host, due_ms = unpack(each)
  local is_new = redis.call('HSETNX', key('webhooks:known'), id, host .. ' ' .. client) == 1
  if is_new then
    redis.call('HINCRBY', key('webhooks:counts'), client, 1)
    added = added + 1
  end
  if is_new or hastens then await_try(id, host, client, due_ms) end
end
return added

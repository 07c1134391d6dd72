-- A try of a webhook's delivery has failed: the next one is due at a time.
-- ARGV: id, due in ms, amounts
-- Answer: 1; 0 when the delivery is unknown.
begin_in_any_case()
local id, due_ms, amounts = unpack(ARGV)
add(key('totals'), cjson.decode(amounts))
local host, client = route_of(id)
if not host then return 0 end
free_place(id, host, client)
if not redis.call('ZSCORE', key('webhooks:due:' .. client .. ' ' .. host), id) then await_try(id, host, client, due_ms) end
return 1

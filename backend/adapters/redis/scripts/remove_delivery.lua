-- A webhook's delivery has ended. One that was made due meanwhile stays.
-- ARGV: id, amounts
-- Answer: 1 when it was removed, else 0.
begin_in_any_case()
local id, amounts = unpack(ARGV)
add(key('totals'), cjson.decode(amounts))
local host, client = route_of(id)
if not host then return 0 end
free_place(id, host, client)
if redis.call('ZSCORE', key('webhooks:due:' .. client .. ' ' .. host), id) then return 0 end
redis.call('HDEL', key('webhooks:known'), id)
if redis.call('HINCRBY', key('webhooks:counts'), client, -1) <= 0 then redis.call('HDEL', key('webhooks:counts'), client) end
return 1

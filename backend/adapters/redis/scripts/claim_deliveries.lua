-- Lease deliveries of webhooks that are due: one of each client, in turn, as long as the client and the host have a place.
-- A host that gave no answer the last time has one place until it answers.
-- ARGV: how many at most, lease in ms, places of a client, places of a host
-- Answer: their ids. Fewer may be returned than are due.
begin_in_any_case()
local most, lease_ms, client_places, host_places = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now, leased, clients = now_ms(), key('webhooks:leased'), key('webhooks:clients')
local look_again_ms, most_clients, most_hosts = 500, 100, 20

for _, id in ipairs(redis.call('ZRANGEBYSCORE', leased, '-inf', now)) do
  redis.call('ZREM', leased, id)
  local host, client = route_of(id)
  if host then await_try(id, host, client, now) end
end

local taken = {}
local function take_place(host, client)
  taken['client ' .. client] = (taken['client ' .. client] or 0) + 1
  taken['host ' .. host] = (taken['host ' .. host] or 0) + 1
end
for _, id in ipairs(redis.call('ZRANGE', leased, 0, -1)) do
  local host, client = route_of(id)
  if host then take_place(host, client) end
end

-- When this host may be asked, or nil for now.
local function wait_of(host)
  local pause_ms = redis.call('PTTL', key('webhooks:paused:' .. host))
  if pause_ms > 0 then return now + pause_ms end
  local has_failed = redis.call('EXISTS', key('webhooks:failures:' .. host)) == 1
  if (taken['host ' .. host] or 0) >= (has_failed and 1 or host_places) then return now + look_again_ms end
end

-- Put the score of ``member`` at that of the first in ``waiting``, or remove it where nothing waits.
local function look_later(set, member, waiting)
  local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  if first[2] then redis.call('ZADD', set, math.max(now, first[2]), member) else redis.call('ZREM', set, member) end
end

local function lease_first(client, host)
  local waiting = key('webhooks:due:' .. client .. ' ' .. host)
  local id = redis.call('ZRANGEBYSCORE', waiting, '-inf', now, 'LIMIT', 0, 1)[1]
  local is_under_way = id and redis.call('ZSCORE', leased, id)
  if is_under_way then
    redis.call('ZADD', waiting, now + look_again_ms, id)
  elseif id then
    redis.call('ZREM', waiting, id)
    redis.call('ZADD', leased, now + lease_ms, id)
    take_place(host, client)
  end
  look_later(key('webhooks:hosts:' .. client), host, waiting)
  return not is_under_way and id or nil
end

local function lease_of(client)
  local hosts = key('webhooks:hosts:' .. client)
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', hosts, '-inf', now, 'LIMIT', 0, most_hosts)) do
    local wait = wait_of(host)
    if wait then
      redis.call('ZADD', hosts, wait, host)
    else
      local id = lease_first(client, host)
      if id then return id end
    end
  end
end

local found = {}
for _, client in ipairs(redis.call('ZRANGEBYSCORE', clients, '-inf', now, 'LIMIT', 0, most_clients)) do
  if #found >= most then break end
  if (taken['client ' .. client] or 0) >= client_places then
    redis.call('ZADD', clients, now + look_again_ms, client)
  else
    found[#found + 1] = lease_of(client)
    look_later(clients, client, key('webhooks:hosts:' .. client))
  end
end
return found

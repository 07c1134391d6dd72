-- Say that a process is there, by this server's clock. Twice a second at most, processes that have fallen silent are forgotten on the way.
-- ARGV: 'encoders' or 'gateways', name, facts (JSON), ms
-- Answer: now in ms.
begin_in_any_case()
local kind, name, facts, ms = unpack(ARGV)
local now, patience_ms, look_every_ms = now_ms(), 3000, 500
redis.call('HSET', key(kind), name, string.format('{"until":%.3f,"clock":"redis","facts":', (now + tonumber(ms)) / 1000) .. facts .. '}')
if not redis.call('SET', key('presence:looked'), '', 'NX', 'PX', look_every_ms) then return now end

-- An encoder of protocol 1 writes ``until`` by its own clock. It is silent when that has not changed for a while.
local function is_silent_by_own_clock(encoder, text)
  local said = string.match(text, '^{"until":([^,}]+)') or text
  local seen_at, seen = string.match(redis.call('HGET', key('encoders:seen'), encoder) or '', '^(%d+) (.*)$')
  if seen == said then return now - tonumber(seen_at) > patience_ms end
  redis.call('HSET', key('encoders:seen'), encoder, string.format('%.0f %s', now, said))
  redis.call('EXPIRE', key('encoders:seen'), 60)
  return false
end

for _, each in ipairs({'encoders', 'gateways'}) do
  local all = redis.call('HGETALL', key(each))
  for i = 1, #all, 2 do
    local until_s = string.match(all[i + 1], '^{"until":([%d.]+),"clock":"redis"')
    local is_silent = until_s and tonumber(until_s) * 1000 < now
    if not until_s then is_silent = is_silent_by_own_clock(all[i], all[i + 1]) end
    if is_silent then forget_process(each, all[i]) end
  end
end
return now

-- Find live jobs that lack what each has: a place in the queue or a lease, and their entries in the index; and give it to them.
-- ARGV: 'look', or 'mend' and then the ms of a lease; ids
-- Answer: for 'look' {when it was made, id, …} of those that lack something; for 'mend' how many did.
begin_in_any_case()
local step, lease_ms = ARGV[1], ARGV[2]

-- The set that a live job has to be in.
local function place_in(state, manifest)
  if state == 'running' then return 'running' end
  return manifest.source.sha256 == '' and 'fetching' or 'queue'
end

local function has(name, id) return redis.call('ZSCORE', key(name), id) end

-- Whether a job is where it has to be. In the queue each waiting job labels one slot of each kind, and stands in its line.
local function is_placed(id, client, seat)
  if not has(seat, id) then return false end
  if seat ~= 'queue' then return true end
  local at = place_of(client)
  for _, name in ipairs({'slots', 'own', 'turns', 'jobs'}) do
    if not redis.call('ZSCORE', at[name], id) then return false end
  end
  return true
end

local function is_indexed(id, who, seat, manifest)
  local maker = not manifest.is_passing and (manifest.maker or '') or ''
  return has('expiry', id) and has('underway:' .. who, id) and (seat ~= 'queue' or has('waiting', id))
         and (maker == '' or (has('listed:' .. maker, id) and redis.call('HEXISTS', key('listers'), id) == 1))
end

local function index(id, client, seat, manifest)
  local expire_at = math.floor(manifest.expires_at)
  redis.call('ZADD', key('expiry'), expire_at, id)
  enter_share(id, client, expire_at)
  if seat == 'queue' then redis.call('ZADD', key('waiting'), manifest.created_at, id) end
  if not manifest.is_passing and (manifest.maker or '') ~= '' then
    redis.call('HSET', key('listers'), id, manifest.maker)
    redis.call('ZADD', key('listed:' .. manifest.maker), manifest.created_at, id)
  end
end

-- A lease is short: who holds the job renews it sooner, and the job of another is given to others.
local function put_in(seat, id, client, text)
  if seat ~= 'queue' then
    redis.call('ZADD', key(seat), now_ms() + tonumber(lease_ms), id)
  else
    leave_queue(id, client)
    line_up(id, client, text, false)
  end
end

local found, mended = {}, 0
for i = step == 'look' and 2 or 3, #ARGV do
  local id = ARGV[i]
  local job = redis.call('HMGET', key('job:' .. id), 'state', 'client', 'manifest')
  local state, client, text = job[1], job[2] or '', job[3]
  if text and state and not has_ended(state) then
    local manifest = cjson.decode(text)
    local seat, who = place_in(state, manifest), words_of(client)
    local placed = is_placed(id, client, seat)
    if not placed or not is_indexed(id, who, seat, manifest) then
      mended = mended + 1
      found[#found + 1] = string.format('%.6f', manifest.created_at)
      found[#found + 1] = id
      if step == 'mend' then
        if not placed then put_in(seat, id, client, text) end
        index(id, client, seat, manifest)
      end
    end
  end
end
return step == 'look' and found or mended

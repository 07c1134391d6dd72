-- What the scripts share: this file is put before each of them. KEYS[1] is the prefix of all keys (see ``scripts.py`` for the keys).
--
-- ``change`` is the heart: it gives a job its next ``seq``, writes its log, and announces the change. It refuses a state that may not
-- follow: ``following[before][after]`` is the state table of ``core/job.py``. The loader writes it above this file, and with it ``ticket``,
-- the message that brings an encoder (``ticket.py``).

local prefix, log_limit = KEYS[1], 512
local ties, classes = 2 ^ 20, 2 ^ 40 -- what a slot's time, and a job's class, is multiplied by
local clients_known = 10000 -- more are not remembered in ``queue:tags``
local log_kept_s = 3600 -- how long the log of a job that has ended stays: watchers that were cut off come back within that

-- A full Redis refuses a script whose first write may take memory, and lets the rest of a script be. So what begins work writes this first …
local function begin_if_there_is_room() redis.call('SET', KEYS[1] .. 'room', '') end

-- … and what ends work, or gives room, writes this first.
local function begin_in_any_case() redis.call('DEL', KEYS[1] .. 'room') end

local function has_ended(state) return next(following[state]) == nil end

local function key(name) return prefix .. name end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The mean of the newest conversions, or nil before the first.
local function mean_ms()
  local recent, sum = redis.call('LRANGE', key('recent'), 0, -1), 0
  for _, ms in ipairs(recent) do sum = sum + tonumber(ms) end
  return #recent > 0 and sum / #recent or nil
end

local function encoder_count() return math.max(1, redis.call('HLEN', key('encoders'))) end

-- Write position and estimate into a status. ``rank`` counts the jobs before it.
local function place(status, rank, encoders, mean)
  status.position = rank
  status.eta_s = mean and math.floor((math.floor(rank / encoders) + 1) * mean / 100 + 0.5) / 10 or cjson.null
end

local function add(hash, amounts)
  for name, amount in pairs(amounts) do redis.call('HINCRBYFLOAT', hash, name, amount) end
end

-- The words of a job's ``client`` (``core/turns.py``): who takes turns, the line within, and whether somebody waits for the job.
local function words_of(client)
  local who, line, waits = string.match(client, '^(%S*) ?(%S*) ?(%S*)$')
  return who or client, line or '', waits == 'waits'
end

-- A client's jobs under way, without those that have expired. Each is a key of its own, so that no counter can go wrong.
local function underway(client)
  local jobs = key('underway:' .. words_of(client))
  redis.call('ZREMRANGEBYSCORE', jobs, '-inf', '(' .. math.floor(now_ms() / 1000))
  return redis.call('ZCARD', jobs)
end

-- Whether a client that may have ``limit`` jobs ('' for any number) has that many under way.
local function has_used_its_share(client, limit) return limit ~= '' and underway(client) >= tonumber(limit) end

local function enter_share(id, client, expire_at)
  local jobs, left_s = key('underway:' .. words_of(client)), expire_at + 60 - math.floor(now_ms() / 1000)
  redis.call('ZADD', jobs, expire_at, id)
  if redis.call('TTL', jobs) < left_s then redis.call('EXPIRE', jobs, left_s) end
end

local function leave_share(id)
  local client = redis.call('HGET', key('job:' .. id), 'client')
  if client then redis.call('ZREM', key('underway:' .. words_of(client)), id) end
end

-- Write a job's status and log, and announce it; how many subscribers received the announcement.
local function record(id, status)
  local text = cjson.encode(status)
  redis.call('HSET', key('job:' .. id), 'status', text, 'state', status.state, 'seq', status.seq)
  redis.call('RPUSH', key('log:' .. id), text)
  redis.call('LTRIM', key('log:' .. id), -log_limit, -1)
  if has_ended(status.state) then
    leave_share(id)
    redis.call('EXPIRE', key('log:' .. id), log_kept_s)
    redis.call('ZADD', key('ended:' .. status.state), now_ms(), id)
    redis.call('PUBLISH', key('ended:' .. id), text)
  end
  return redis.call('PUBLISH', key('changed:' .. id), now_ms() .. ' ' .. text)
end

-- Apply ``patch`` to a known job's status; its new ``seq``, and how many subscribers received the announcement.
local function change(id, patch)
  local status = cjson.decode(redis.call('HGET', key('job:' .. id), 'status'))
  local before = status.state
  for name, value in pairs(patch) do status[name] = value end
  if not following[before][status.state] then error('a job that is ' .. before .. ' cannot become ' .. status.state) end
  status.seq = status.seq + 1
  return status.seq, record(id, status)
end

-- Tell the encoder that holds a running job that the job was taken from it. A token begins with its encoder's name.
local function announce_stop(id)
  local job = redis.call('HMGET', key('job:' .. id), 'state', 'token')
  local encoder = job[1] == 'running' and job[2] and string.match(job[2], '^(.+)%-')
  if encoder then redis.call('PUBLISH', key('stopped:' .. encoder), job[2]) end
end

-- Push a ticket, unless each waiting job has one in the list: tickets are alike, and one that was pushed for a job that was cancelled since
-- serves another. So the list is never longer than the queue was.
local function push_ticket(serial)
  if redis.call('LLEN', key('encode')) >= redis.call('ZCARD', key('queue')) then return 0 end
  redis.call('LPUSH', key('encode'), (string.gsub(ticket, 'TICKET_ID', now_ms() .. '-' .. serial)))
  return 1
end

-- What a conversion costs, in quarters of a megapixel: what starting one takes by itself is about that much.
local function cost_of(manifest)
  local source = manifest.source
  return math.max(1, math.ceil(source.width * source.height * source.frames / 262144))
end

-- Work that somebody waits for, single jobs, batches.
local function class_of(manifest, waits)
  if waits or manifest.is_passing then return 0 end
  return (manifest.batch == nil or manifest.batch == cjson.null) and 1 or 2
end

-- Take the next slot in ``slots`` for one of those who take turns there: its time, and when its next one is due. ``now`` is the time of the
-- slot that is served, and ``tags`` has when each one's next slot is due.
local function next_slot(tags, name, now, cost)
  local time = math.max(now, tonumber(redis.call('HGET', tags, name) or '0'))
  redis.call('HSET', tags, name, string.format('%.0f', time + cost))
  return time
end

-- Seat ``ids`` in ``slots``, in this order: on the slots that they have there, and on the new one. The first is new, and has none yet.
-- Others without a slot are gone: a process of an earlier version gave them out.
local function seat(slots, ids, new)
  local free, seated, page = {new}, {ids[1]}, 1000
  for first = 2, #ids, page do
    local some = {unpack(ids, first, math.min(first + page - 1, #ids))}
    for i, slot in ipairs(redis.call('ZMSCORE', slots, unpack(some))) do
      if slot then free[#free + 1], seated[#seated + 1] = tonumber(slot), some[i] end
    end
  end
  table.sort(free)
  for i, id in ipairs(seated) do redis.call('ZADD', slots, string.format('%.0f', free[i]), id) end
end

-- The ids from this one on, by the order of ``line``.
local function from_here_on(line, id) return redis.call('ZRANGE', line, redis.call('ZRANK', line, id), -1) end

local function forget_old_tags(tags, now)
  if redis.call('HLEN', tags) <= clients_known then return end
  local all, kept = redis.call('HGETALL', tags), 0
  for i = 1, #all, 2 do
    if tonumber(all[i + 1]) <= now then redis.call('HDEL', tags, all[i]) else kept = kept + 1 end
  end
  if kept > clients_known then redis.call('DEL', tags) end
end

-- Put a job into the fair queue and a ticket for it into Celery's. A job that goes before others of its client takes their slots: they move
-- on by one, and the last of them gets the new slot. So the other clients' turns stay where they are.
local function line_up(id, client, manifest_text, at_head)
  local manifest, who, line, waits = cjson.decode(manifest_text), words_of(client)
  local queue, own, mine = key('queue'), key('client:' .. who), key('line:' .. who .. ' ' .. line)
  local serial, now = redis.call('INCR', key('queue:serial')), tonumber(redis.call('GET', key('queue:now')) or '0')
  local first = redis.call('ZRANGE', own, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', key('waiting'), manifest.created_at, id)
  if at_head then
    redis.call('ZADD', mine, string.format('%.0f', serial - classes), id)
    redis.call('ZADD', own, string.format('%.0f', (tonumber(first) or 0) - 1), id)
    redis.call('ZADD', queue, string.format('%.0f', now * ties), id)
  else
    if redis.call('ZCARD', queue) == 0 then redis.call('DEL', key('queue:tags')) end
    if not first then redis.call('DEL', key('client:tags:' .. who)) end
    local cost, class, tie = cost_of(manifest), class_of(manifest, waits), serial % ties
    local has_none = redis.call('ZCARD', mine) == 0
    redis.call('ZADD', mine, string.format('%.0f', class * classes + serial), id)
    local served = first and math.max(0, math.floor(tonumber(first) / ties)) or 0
    -- In a line that was empty, work that somebody waits for goes before the other lines of the same time.
    local within = next_slot(key('client:tags:' .. who), line, served, cost) * ties + (class == 0 and has_none and 0 or tie)
    seat(own, from_here_on(mine, id), within)
    seat(queue, from_here_on(own, id), next_slot(key('queue:tags'), who, now, cost) * ties + tie)
    forget_old_tags(key('queue:tags'), now)
    forget_old_tags(key('client:tags:' .. who), served)
  end
  for _, name in ipairs({own, mine, key('client:tags:' .. who)}) do redis.call('EXPIRE', name, 86400) end
  push_ticket(serial)
end

local function leave_line(id, client)
  local who, line = words_of(client)
  redis.call('ZREM', key('client:' .. who), id)
  redis.call('ZREM', key('line:' .. who .. ' ' .. line), id)
end

-- Put a job that runs no more back at the head of the queue.
local function put_back(id, client, manifest)
  line_up(id, client, manifest, true)
  change(id, {state = 'queued', stage = cjson.null, progress = 0, position = 0, eta_s = cjson.null, started_at = cjson.null})
end

local function remove_from_queue(id)
  local client = redis.call('HGET', key('job:' .. id), 'client')
  if client then leave_line(id, client) end
  for _, name in ipairs({'queue', 'waiting', 'fetching'}) do redis.call('ZREM', key(name), id) end
end

local work_keys = {}

-- The manifest's work key; nil where the job shares nothing.
local function work_key_of(manifest)
  if not manifest then return nil end
  if work_keys[manifest] == nil then work_keys[manifest] = cjson.decode(manifest).work or '' end
  return work_keys[manifest] ~= '' and work_keys[manifest] or nil
end

-- Keep a job that succeeded as a completed duplicate of jobs to come.
local function note_result(id, manifest, expire_at)
  local work_key = work_key_of(manifest)
  if not work_key then return end
  redis.call('ZADD', key('same:' .. work_key), expire_at, id)
  redis.call('ZREMRANGEBYRANK', key('same:' .. work_key), 0, -9)
  redis.call('EXPIREAT', key('same:' .. work_key), expire_at + 60)
end

-- A job leads no more: queue the followers again that still run along with it.
local function release_followers(id, manifest)
  local work_key = work_key_of(manifest)
  if work_key and redis.call('GET', key('leader:' .. work_key)) == id then redis.call('DEL', key('leader:' .. work_key)) end
  for _, follower in ipairs(redis.call('SMEMBERS', key('twins:' .. id))) do
    local job = redis.call('HMGET', key('job:' .. follower), 'state', 'leader', 'client', 'manifest')
    if job[1] == 'running' and job[2] == id then
      redis.call('ZREM', key('running'), follower)
      redis.call('HSET', key('job:' .. follower), 'leader', '')
      redis.call('HINCRBY', key('job:' .. follower), 'tries', -1)
      put_back(follower, job[3], job[4])
    end
  end
  redis.call('DEL', key('twins:' .. id))
end

-- Make a job known, and index it. The keys outlive the job by a minute.
local function create(id, manifest_text, status_text, client, expire_at)
  redis.call('HSET', key('job:' .. id), 'manifest', manifest_text, 'client', client, 'token', '', 'tries', 0)
  record(id, cjson.decode(status_text))
  redis.call('EXPIREAT', key('job:' .. id), expire_at + 60)
  if has_ended(cjson.decode(status_text).state) then
    redis.call('EXPIRE', key('log:' .. id), log_kept_s)
  else
    redis.call('EXPIREAT', key('log:' .. id), expire_at + 60)
    enter_share(id, client, expire_at)
  end
  redis.call('ZADD', key('expiry'), expire_at, id)
  local manifest = cjson.decode(manifest_text)
  if manifest.is_passing then
    redis.call('HSET', key('job:' .. id), 'passing', 1)
  elseif (manifest.maker or '') ~= '' then
    redis.call('HSET', key('listers'), id, manifest.maker)
    redis.call('ZADD', key('listed:' .. manifest.maker), manifest.created_at, id)
  end
end

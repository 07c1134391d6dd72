-- What the scripts share: this file is put before each of them. KEYS[1] is the prefix of all keys (see ``scripts.py`` for the keys).
--
-- ``change`` is the heart: it gives a job its next ``seq``, writes its log, and announces the change. It refuses a state that may not
-- follow: ``following[before][after]`` is the state table of ``core/job.py``. The loader writes it above this file, and with it ``ticket``,
-- the message that brings an encoder (``ticket.py``).

local prefix, log_limit = KEYS[1], 512

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

-- Write a job's status and log, and announce it; how many subscribers received the announcement.
local function record(id, status)
  local text = cjson.encode(status)
  redis.call('HSET', key('job:' .. id), 'status', text, 'state', status.state, 'seq', status.seq)
  redis.call('RPUSH', key('log:' .. id), text)
  redis.call('LTRIM', key('log:' .. id), -log_limit, -1)
  if has_ended(status.state) then
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

-- Put a job into the fair queue, behind its client's other jobs or at the head, and a ticket for it into Celery's.
local function line_up(id, client, manifest, at_head)
  redis.call('ZADD', key('waiting'), cjson.decode(manifest).created_at, id)
  local now = tonumber(redis.call('GET', key('queue:now')) or '0')
  if redis.call('ZCARD', key('queue')) == 0 then redis.call('DEL', key('queue:tags')) end
  local tag = math.max(now, tonumber(redis.call('HGET', key('queue:tags'), client) or '0')) + 1
  local serial = redis.call('INCR', key('queue:serial')) % 1048576
  if at_head then
    redis.call('ZADD', key('queue'), now * 1048576, id)
  else
    redis.call('HSET', key('queue:tags'), client, tag)
    redis.call('ZADD', key('queue'), tag * 1048576 + serial, id)
  end
  push_ticket(serial)
end

-- Put a job that runs no more back at the head of the queue.
local function put_back(id, client, manifest)
  line_up(id, client, manifest, true)
  change(id, {state = 'queued', stage = cjson.null, progress = 0, position = 0, eta_s = cjson.null, started_at = cjson.null})
end

local function remove_from_queue(id)
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
  redis.call('EXPIREAT', key('log:' .. id), expire_at + 60)
  redis.call('ZADD', key('expiry'), expire_at, id)
  local manifest = cjson.decode(manifest_text)
  if manifest.is_passing then
    redis.call('HSET', key('job:' .. id), 'passing', 1)
  elseif (manifest.maker or '') ~= '' then
    redis.call('HSET', key('listers'), id, manifest.maker)
    redis.call('ZADD', key('listed:' .. manifest.maker), manifest.created_at, id)
  end
end

-- Let a webhook's delivery wait for its next try. Its client and its host within that client are looked at no later than then.
local function await_try(id, host, client, due_ms)
  redis.call('ZADD', key('webhooks:due:' .. client .. ' ' .. host), due_ms, id)
  redis.call('ZADD', key('webhooks:hosts:' .. client), 'LT', due_ms, host)
  redis.call('ZADD', key('webhooks:clients'), 'LT', due_ms, client)
end

-- Host and client of a known delivery, or nil.
local function route_of(id)
  local known = redis.call('HGET', key('webhooks:known'), id)
  if known then return string.match(known, '^(%S+) (.*)$') end
end

-- A try is over: what waits for a place at this client or this host may have it.
local function free_place(id, host, client)
  redis.call('ZREM', key('webhooks:leased'), id)
  redis.call('ZADD', key('webhooks:hosts:' .. client), 'XX', 'LT', now_ms(), host)
  redis.call('ZADD', key('webhooks:clients'), 'XX', 'LT', now_ms(), client)
end

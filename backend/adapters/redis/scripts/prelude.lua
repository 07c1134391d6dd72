-- What the scripts share: each gets those of these definitions that it needs (``scripts.py``). So each begins in the first column, with ``local``.
-- KEYS[1] is the prefix of all keys (see ``scripts.py`` for the keys).
--
-- ``change`` is the heart: it gives a job its next ``seq``, and announces the change. It refuses a state that may not follow:
-- ``following[before][after]`` is the state table of ``core/job.py``. The loader writes it above this file, and with it ``ticket``, the message
-- that brings an encoder (``ticket.py``).

local prefix = KEYS[1]
local log_limit = 512
local log_bytes = 524288 -- a status with many results is a thousand bytes for each two; it keeps fewer changes
local ties = 2 ^ 20 -- what a slot's time is multiplied by
local classes = 2 ^ 40 -- what a job's class is multiplied by
local express_cost = 16 -- four megapixels
local express_waiting = 100 -- calls that wait; more are of no use
local express_encoders = 64 -- where more are at work, one is free soon
local clients_known = 10000 -- more are not remembered in ``queue:tags``
local log_kept_s = 60 -- how long the log of a job that has ended stays; watchers that come back later get the end
local ended_kept_s = 600 -- how long a job that has ended stays; those who ask for it later get it from the store

-- A full Redis refuses a script whose first write may take memory, and lets the rest of a script be. So what begins work writes this first …
local function begin_if_there_is_room() redis.call('SET', KEYS[1] .. 'room', '') end

-- … and what ends work, or gives room, writes this first.
local function begin_in_any_case() redis.call('DEL', KEYS[1] .. 'room') end

local function has_ended(state) return next(following[state]) == nil end

local function key(name) return prefix .. name end

local moment_ms

-- A script is one moment.
local function now_ms()
  if not moment_ms then
    local time = redis.call('TIME')
    moment_ms = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return moment_ms
end

local manifests = {}

local function manifest_of(text)
  if not manifests[text] then manifests[text] = cjson.decode(text) end
  return manifests[text]
end

-- How long a job waits that is put off once more, in ms. Half of it is jitter, by the clock: Lua's random numbers begin alike in each script.
local function pause_ms_of(id, choices)
  local times, micros = redis.call('HINCRBY', key('job:' .. id), 'pauses', 1), redis.call('TIME')[2]
  return math.floor(choices[math.min(times, #choices)] * (1 + micros % 1000 / 1000) / 2)
end

-- The mean of the newest conversions, or nil before the first.
local function mean_ms()
  local recent, sum = redis.call('LRANGE', key('recent'), 0, -1), 0
  for _, ms in ipairs(recent) do sum = sum + tonumber(ms) end
  return #recent > 0 and sum / #recent or nil
end

local function encoder_count() return math.max(1, redis.call('HLEN', key('encoders'))) end

-- Whether a small job might wait for a whole encode: all encoders are busy, and they are not so many that one of them is free soon.
local function is_express_open()
  local running = redis.call('ZCARD', key('running'))
  return running <= express_encoders and running >= encoder_count()
end

-- Write position and estimate into a status. ``rank`` counts the jobs before it.
local function place(status, rank, encoders, mean)
  status.position = rank
  status.eta_s = mean and math.floor((math.floor(rank / encoders) + 1) * mean / 100 + 0.5) / 10 or cjson.null
end

-- A sum as text: whole, or to a millionth, as amounts are rounded.
local function sum_text(sum) return string.format(sum == math.floor(sum) and '%.0f' or '%.6f', sum) end

-- Add to the numbers of a hash, by two calls however many they are.
local function add(hash, amounts)
  local names, sums = {}, {}
  for name in pairs(amounts) do names[#names + 1] = name end
  if #names == 0 then return end
  for i, known in ipairs(redis.call('HMGET', hash, unpack(names))) do
    sums[2 * i - 1], sums[2 * i] = names[i], sum_text((tonumber(known) or 0) + amounts[names[i]])
  end
  redis.call('HSET', hash, unpack(sums))
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

-- Log a change and announce it; how many subscribers received it. Who is cut off, or comes a moment later, reads in the log what was missed.
local function announce(id, text)
  local log, listeners = key('log:' .. id), redis.call('PUBLISH', key('changed:' .. id), now_ms() .. ' ' .. text)
  local length = redis.call('RPUSH', log, text)
  if length == 1 then redis.call('EXPIRE', log, math.max(log_kept_s, redis.call('TTL', key('job:' .. id)))) end
  local kept = math.min(log_limit, math.max(1, math.floor(log_bytes / #text)))
  if length > kept then redis.call('LTRIM', log, -kept, -1) end
  return listeners
end

-- Write a job's status, with other fields of its hash, and announce it; how many subscribers received that, and the text.
local function record(id, status, ...)
  local text = cjson.encode(status)
  redis.call('HSET', key('job:' .. id), 'status', text, 'state', status.state, 'seq', status.seq, ...)
  return announce(id, text), text
end

-- Apply ``patch`` to a known job's status, which is ``known`` where the script has read it; its new ``seq``, how many subscribers received the
-- announcement, and the text.
local function change(id, patch, known, ...)
  local status = known or cjson.decode(redis.call('HGET', key('job:' .. id), 'status'))
  local before = status.state
  for name, value in pairs(patch) do status[name] = value end
  if not following[before][status.state] then error('a job that is ' .. before .. ' cannot become ' .. status.state) end
  status.seq = status.seq + 1
  return status.seq, record(id, status, ...)
end

-- A job has ended: it leaves its client's share, and Redis soon. Its id stays where lists and counts need it.
local function settle(id, client, expire_at, state, text)
  redis.call('ZREM', key('underway:' .. words_of(client)), id)
  redis.call('ZADD', key('ended:' .. state), now_ms(), id)
  redis.call('EXPIREAT', key('job:' .. id), math.min(expire_at + 60, math.floor(now_ms() / 1000) + ended_kept_s))
  redis.call('EXPIRE', key('log:' .. id), log_kept_s)
  redis.call('PUBLISH', key('ended:' .. id), text)
end

-- As what a job that has left Redis ended; nil where it is not known to have.
local function end_of(id)
  for state, next_states in pairs(following) do
    if next(next_states) == nil and redis.call('ZSCORE', key('ended:' .. state), id) then return state end
  end
end

-- Keep the ``seq`` of an end where the store has another one, for when the job has left Redis.
local function note_seq(id, seq, stored_seq)
  if seq ~= stored_seq then redis.call('HSET', key('seqs'), id, seq) end
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

local function forget_old_tags(tags, now)
  if redis.call('HLEN', tags) <= clients_known then return end
  local all, kept = redis.call('HGETALL', tags), 0
  for i = 1, #all, 2 do
    if tonumber(all[i + 1]) <= now then redis.call('HDEL', tags, all[i]) else kept = kept + 1 end
  end
  if kept > clients_known then redis.call('DEL', tags) end
end

-- Take the next slot in ``slots`` for one of those who take turns there: its time, and when its next one is due. ``now`` is the time of the
-- slot that is served, and ``tags`` has when each one's next slot is due.
local function next_slot(tags, name, now, cost)
  local known = redis.call('HGET', tags, name)
  local time = math.max(now, tonumber(known or '0'))
  redis.call('HSET', tags, name, string.format('%.0f', time + cost))
  if not known then forget_old_tags(tags, now) end
  return time
end

-- Where a job waits. Slots are labelled with waiting jobs, of which each labels one: ``queue`` has all, ``slots`` the client's; ``own`` has the
-- slots of the client's lines, ``turns`` this line's. ``jobs`` is the line itself. A slot belongs to its client or line, whichever job labels it.
local function place_of(client)
  local who, line, waits = words_of(client)
  local both = who .. ' ' .. line
  return {who = who, line = line, waits = waits, slots = key('client:' .. who), own = key('own:' .. who), tags = key('client:tags:' .. who),
          turns = key('turns:' .. both), jobs = key('line:' .. both)}
end

local function put_slot(all, some, slot, id)
  redis.call('ZADD', all, slot, id)
  redis.call('ZADD', some, slot, id)
end

local function drop_slot(all, some, id)
  redis.call('ZREM', all, id)
  redis.call('ZREM', some, id)
end

-- ``id`` uses the slot that ``first`` labels, which takes over the label of the other.
local function use_slot(all, some, first, id)
  local slot = redis.call('ZSCORE', some, id)
  drop_slot(all, some, id)
  if first ~= id then put_slot(all, some, slot, first) end
end

-- ``id`` gives up the last of the slots. So those that stay keep the earlier ones.
local function give_up_slot(all, some, id)
  local slot, last = redis.call('ZSCORE', some, id), redis.call('ZREVRANGE', some, 0, 0)[1]
  drop_slot(all, some, id)
  if slot and last ~= id then put_slot(all, some, slot, last) end
end

local function leave_queue(id, client)
  local at = place_of(client)
  give_up_slot(key('queue'), at.slots, id)
  give_up_slot(at.own, at.turns, id)
  redis.call('ZREM', at.jobs, id)
end

-- How many jobs are served before this one.
local function rank_of(id, client)
  local at = place_of(client)
  local in_line = redis.call('ZRANK', at.jobs, id)
  local turn = in_line and redis.call('ZRANGE', at.turns, in_line, in_line)[1]
  local within = turn and redis.call('ZRANK', at.own, turn)
  local label = within and redis.call('ZRANGE', at.slots, within, within)[1]
  return redis.call('ZRANK', key('queue'), label or id) or 0
end

-- The job whose turn it is, out of the queue. One that a process of an earlier version queued labels its slot, and has no line.
local function next_in_queue()
  local head = redis.call('ZRANGE', key('queue'), 0, 0, 'WITHSCORES')
  local label = head[1]
  if not label then return nil end
  redis.call('SET', key('queue:now'), string.format('%.0f', math.floor(tonumber(head[2]) / ties)))
  local at = place_of(redis.call('HGET', key('job:' .. label), 'client') or '')
  local turn = redis.call('ZSCORE', at.slots, label) and redis.call('ZRANGE', at.own, 0, 0)[1]
  local line = turn and place_of(redis.call('HGET', key('job:' .. turn), 'client') or '')
  local id = line and redis.call('ZRANGE', line.jobs, 0, 0)[1]
  if not id or not redis.call('ZSCORE', at.slots, id) or not redis.call('ZSCORE', line.turns, id) then
    for _, gone in ipairs({label, turn or label, id or label}) do leave_queue(gone, at.who .. ' ' .. (line or at).line) end
    return label
  end
  use_slot(key('queue'), at.slots, label, id)
  use_slot(at.own, line.turns, turn, id)
  redis.call('ZREM', line.jobs, id)
  return id
end

-- Put a job into the fair queue, behind its client's other jobs or at the head, and a ticket for it into Celery's. One that goes before others
-- of its line is served in their slots, and they in the new one: the other clients' turns stay where they are.
local function line_up(id, client, manifest_text, at_head)
  local manifest, at = manifest_of(manifest_text), place_of(client)
  local serial, now = redis.call('INCR', key('queue:serial')), tonumber(redis.call('GET', key('queue:now')) or '0')
  local first = redis.call('ZRANGE', at.own, 0, 0, 'WITHSCORES')[2]
  local slot, within, rank = now * ties, (tonumber(first) or 0) - 1, serial - classes
  redis.call('ZADD', key('waiting'), manifest.created_at, id)
  if not at_head then
    if redis.call('ZCARD', key('queue')) == 0 then redis.call('DEL', key('queue:tags')) end
    if not first then redis.call('DEL', at.tags) end
    local cost, class, tie = cost_of(manifest), class_of(manifest, at.waits), serial % ties
    local served = first and math.max(0, math.floor(tonumber(first) / ties)) or 0
    -- In a line that was empty, work that somebody waits for goes before the other lines of the same time.
    local within_tie = class == 0 and redis.call('ZCARD', at.jobs) == 0 and 0 or tie
    slot = next_slot(key('queue:tags'), at.who, now, cost) * ties + tie
    within, rank = next_slot(at.tags, at.line, served, cost) * ties + within_tie, class * classes + serial
    if cost <= express_cost and is_express_open() then
      redis.call('LPUSH', key('express'), id)
      redis.call('LTRIM', key('express'), 0, express_waiting - 1)
    end
  end
  put_slot(key('queue'), at.slots, string.format('%.0f', slot), id)
  put_slot(at.own, at.turns, string.format('%.0f', within), id)
  redis.call('ZADD', at.jobs, string.format('%.0f', rank), id)
  -- Keys that are new, and once in sixteen times those that are used.
  if redis.call('ZCARD', at.jobs) == 1 or now_ms() % 16 == 0 then
    for _, name in ipairs({'slots', 'own', 'tags', 'turns', 'jobs'}) do redis.call('EXPIRE', at[name], 86400) end
  end
  push_ticket(serial)
end

-- Put a job that runs no more back into the queue, at its head or in its turn.
local function put_back(id, client, manifest, at_head)
  line_up(id, client, manifest, at_head)
  local position = at_head and 0 or rank_of(id, client)
  change(id, {state = 'queued', stage = cjson.null, progress = 0, position = position, eta_s = cjson.null, started_at = cjson.null})
end

local function remove_from_queue(id)
  local client = redis.call('HGET', key('job:' .. id), 'client')
  if client then leave_queue(id, client) end
  for _, name in ipairs({'queue', 'waiting', 'fetching'}) do redis.call('ZREM', key(name), id) end
end

-- The manifest's work key; nil where the job shares nothing.
local function work_key_of(manifest)
  local work_key = manifest and manifest_of(manifest).work or ''
  return work_key ~= '' and work_key or nil
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
  local followers = redis.call('SMEMBERS', key('twins:' .. id))
  for _, follower in ipairs(followers) do
    local job = redis.call('HMGET', key('job:' .. follower), 'state', 'leader', 'client', 'manifest')
    if job[1] == 'running' and job[2] == id then
      redis.call('ZREM', key('running'), follower)
      redis.call('HSET', key('job:' .. follower), 'leader', '')
      redis.call('HINCRBY', key('job:' .. follower), 'tries', -1)
      put_back(follower, job[3], job[4], true)
    end
  end
  if #followers > 0 then redis.call('DEL', key('twins:' .. id)) end
end

-- Give a job that was in the queue to the encoder with this token: {manifest, status, ids of completed duplicates, how many watch it, how many
-- jobs are left in the queue, how many encoders there are}. Nil when it waits no more, or its work is being encoded: then it follows the job that
-- is. Nil and true when it needs a newer protocol than the encoder speaks: nothing has changed then.
local function give_out(id, token, lease_ms, speaks)
  local job = redis.call('HMGET', key('job:' .. id), 'state', 'manifest', 'status', 'tries', 'needs')
  if job[1] == 'queued' and job[5] and tonumber(job[5]) > tonumber(speaks) then return nil, true end
  redis.call('ZREM', key('waiting'), id)
  if not job[1] then redis.call('SADD', key('lost'), id) end -- the Janitor looks it up in the store
  if job[1] ~= 'queued' then return nil end
  local now, status, tries = now_ms(), cjson.decode(job[3]), (tonumber(job[4]) or 0) + 1
  local work_key = work_key_of(job[2])
  local leader = work_key and redis.call('GET', key('leader:' .. work_key))
  local begun = {state = 'running', stage = 'decode', started_at = now / 1000, attempt = tries, position = cjson.null, eta_s = cjson.null}
  redis.call('ZADD', key('running'), now + tonumber(lease_ms), id)
  if leader and redis.call('HGET', key('job:' .. leader), 'state') == 'running' then
    local ahead = cjson.decode(redis.call('HGET', key('job:' .. leader), 'status'))
    begun.stage, begun.progress, begun.eta_s = ahead.stage, math.max(status.progress, ahead.progress), ahead.eta_s
    redis.call('SADD', key('twins:' .. leader), id)
    redis.call('EXPIRE', key('twins:' .. leader), 86400)
    change(id, begun, status, 'tries', tries, 'token', '', 'leader', leader)
    return nil
  end
  if work_key then redis.call('SET', key('leader:' .. work_key), id, 'EX', 86400) end
  local _, listeners, text = change(id, begun, status, 'tries', tries, 'token', token, 'leader', '')
  local duplicates = work_key and redis.call('ZREVRANGE', key('same:' .. work_key), 0, 7) or {}
  return {job[2], text, duplicates, listeners, redis.call('ZCARD', key('queue')), encoder_count()}
end

-- Make a job known, and index it; the status' text. The keys outlive the job by a minute.
local function create(id, manifest_text, status, client, expire_at)
  local manifest = manifest_of(manifest_text)
  redis.call('HSET', key('job:' .. id), 'manifest', manifest_text, 'client', client, 'token', '', 'tries', 0, 'cost', cost_of(manifest))
  redis.call('EXPIREAT', key('job:' .. id), math.max(expire_at, math.floor(now_ms() / 1000)) + 60)
  local _, text = record(id, status)
  if has_ended(status.state) then settle(id, client, expire_at, status.state, text) else enter_share(id, client, expire_at) end
  redis.call('ZADD', key('expiry'), expire_at, id)
  if manifest.needs then redis.call('HSET', key('job:' .. id), 'needs', manifest.needs) end
  if manifest.is_passing then
    redis.call('HSET', key('job:' .. id), 'passing', 1)
  elseif (manifest.maker or '') ~= '' then
    redis.call('HSET', key('listers'), id, manifest.maker)
    redis.call('ZADD', key('listed:' .. manifest.maker), manifest.created_at, id)
  end
  return text
end

-- Make a job known again that has ended; the status' text. Where it had only left Redis its ``seq`` is what it was. Where the state was lost,
-- ``margin`` is added: a client may have seen later changes than the store has.
local function bring_back(id, manifest, status, client, expire_at, margin)
  local stored_seq = status.seq
  status.seq = tonumber(redis.call('HGET', key('seqs'), id)) or (end_of(id) and stored_seq) or stored_seq + margin
  note_seq(id, status.seq, stored_seq)
  local text = create(id, manifest, status, client, expire_at)
  if status.state == 'succeeded' then note_result(id, manifest, expire_at) end
  return text
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

-- An encoder or a gateway is there no more. With the last encoder of a host goes what was counted for that host.
local function forget_process(kind, name)
  local text = redis.call('HGET', key(kind), name)
  redis.call('HDEL', key(kind), name)
  if kind ~= 'encoders' or not text then return end
  redis.call('HDEL', key('encoders:seen'), name)
  local host = string.match(text, '"host":("[^"]*")')
  if not host then return end
  for _, other in ipairs(redis.call('HVALS', key('encoders'))) do
    if string.find(other, '"host":' .. host, 1, true) then return end
  end
  redis.call('HDEL', key('totals'), 'encoder_cpu_s:' .. string.sub(host, 2, -2))
end

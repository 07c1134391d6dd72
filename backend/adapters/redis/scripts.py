"""The changes that must be one step, as Lua. ``change`` is the heart: it gives a job its next ``seq``, logs and announces it.

What is announced, and to whom: ``changed:<id>`` has every change, for those who watch the job; ``ended:<id>`` how it ended, for those who only wait
for that; ``stopped:<name>`` the token of a job that was taken out of an encoder's hands, for that encoder (``cancellations``).

Keys, all under one prefix (``redis_client.KEY_PREFIX``)::

    job:<id>      hash    manifest, status (JSON), state, seq, token, client; passing where it is
    log:<id>      list    the newest statuses (JSON), one a change, seq rising by one
    queue         zset    waiting ids; score = virtual start × 2^20 + serial
    queue:tags    hash    client → virtual start of its newest waiting job
    queue:now     string  virtual time: the tag last taken
    waiting       zset    the ids in the queue; score = when the job was made, s
    fetching      zset    ids whose source is being fetched; score = end of the lease, ms
    running       zset    ids in an encoder's hands; score = end of the lease, ms
    ended:<state> zset    ids of ended jobs that are known; score = when that became known, ms
    expiry        zset    every id the store holds; score = when it is to be erased, s
    listed:<who>  zset    the ids that one maker may list; score = when the job was made, s
    listers       hash    id → maker, of every id that is listed
    recent        list    ms that the newest twenty conversions took
    encoders      hash    name → {until, facts} as JSON
    leader:<work> string  the running job that encodes this work
    twins:<id>    set     jobs that run along with this one, for their work is the same
    same:<work>   zset    jobs that succeeded with this work; score = when each is to be erased, s
    totals        hash    what was counted so far, by the names of ``core.tally``
    pace:<n>      hash    the same for ten seconds, the nth since the epoch

The queue is start-time fair queueing (Goyal, Vin, Cheng 1996) with equal weights and unit cost: each client's jobs get rising tags, the
lowest tag goes first, so a single image waits for at most one job of each other client.
"""

from __future__ import annotations

from typing import Any

import redis

from backend.adapters.redis.client import translated
from backend.adapters.redis_bell import RINGING

PRELUDE = """
local prefix, log_limit = KEYS[1], 512
local function key(name) return prefix .. name end
local function now_ms() local t = redis.call('TIME'); return t[1] * 1000 + math.floor(t[2] / 1000) end
local function mean_ms()
  local recent, sum = redis.call('LRANGE', key('recent'), 0, -1), 0
  for _, ms in ipairs(recent) do sum = sum + tonumber(ms) end
  return #recent > 0 and sum / #recent or nil
end
local function place(status, rank, encoders, mean)
  status.position = rank
  status.eta_s = mean and math.floor((math.floor(rank / encoders) + 1) * mean / 100 + 0.5) / 10 or cjson.null
end
local function add(where, amounts)
  for name, amount in pairs(amounts) do redis.call('HINCRBYFLOAT', where, name, amount) end
end
local function encoder_count() return math.max(1, redis.call('HLEN', key('encoders'))) end
local function record(id, status)
  local text = cjson.encode(status)
  redis.call('HSET', key('job:' .. id), 'status', text, 'state', status.state, 'seq', status.seq)
  redis.call('RPUSH', key('log:' .. id), text)
  redis.call('LTRIM', key('log:' .. id), -log_limit, -1)
  if status.state ~= 'queued' and status.state ~= 'running' then
    redis.call('ZADD', key('ended:' .. status.state), now_ms(), id)
    redis.call('PUBLISH', key('ended:' .. id), text)
  end
  return redis.call('PUBLISH', key('changed:' .. id), now_ms() .. ' ' .. text)
end
local function take_away(id)
  local job = redis.call('HMGET', key('job:' .. id), 'state', 'token')
  local name = job[1] == 'running' and job[2] and string.match(job[2], '^(.+)%-')
  if name then redis.call('PUBLISH', key('stopped:' .. name), job[2]) end
end
local function change(id, patch)
  local status = cjson.decode(redis.call('HGET', key('job:' .. id), 'status'))
  for name, value in pairs(patch) do status[name] = value end
  status.seq = status.seq + 1
  return status.seq, record(id, status)
end
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
end
local function unqueue(id)
  redis.call('ZREM', key('queue'), id); redis.call('ZREM', key('waiting'), id); redis.call('ZREM', key('fetching'), id)
end
local works = {}
local function work_of(manifest)
  if not manifest then return nil end
  if works[manifest] == nil then works[manifest] = cjson.decode(manifest).work or '' end
  return works[manifest] ~= '' and works[manifest] or nil
end
local function note_result(id, manifest, expire_at)
  local work = work_of(manifest)
  if not work then return end
  redis.call('ZADD', key('same:' .. work), expire_at, id)
  redis.call('ZREMRANGEBYRANK', key('same:' .. work), 0, -9)
  redis.call('EXPIREAT', key('same:' .. work), expire_at + 60)
end
local function let_go(id, manifest)
  local work = work_of(manifest)
  if work and redis.call('GET', key('leader:' .. work)) == id then redis.call('DEL', key('leader:' .. work)) end
  for _, twin in ipairs(redis.call('SMEMBERS', key('twins:' .. id))) do
    local job = redis.call('HMGET', key('job:' .. twin), 'state', 'leader', 'client', 'manifest')
    if job[1] == 'running' and job[2] == id then
      redis.call('ZREM', key('running'), twin)
      redis.call('HSET', key('job:' .. twin), 'leader', '')
      redis.call('HINCRBY', key('job:' .. twin), 'tries', -1)
      line_up(twin, job[3], job[4], true)
      change(twin, {state = 'queued', stage = cjson.null, progress = 0, position = 0, eta_s = cjson.null, started_at = cjson.null})
    end
  end
  redis.call('DEL', key('twins:' .. id))
end
local function create(id, manifest, status_text, client, expire_at)
  local status = cjson.decode(status_text)
  redis.call('HSET', key('job:' .. id), 'manifest', manifest, 'client', client, 'token', '', 'tries', 0)
  record(id, status)
  redis.call('EXPIREAT', key('job:' .. id), expire_at + 60); redis.call('EXPIREAT', key('log:' .. id), expire_at + 60)
  redis.call('ZADD', key('expiry'), expire_at, id)
  local said = cjson.decode(manifest)
  if said.is_passing then redis.call('HSET', key('job:' .. id), 'passing', 1) end
  if (said.maker or '') ~= '' and not said.is_passing then
    redis.call('HSET', key('listers'), id, said.maker)
    redis.call('ZADD', key('listed:' .. said.maker), said.created_at, id)
  end
end
"""

# ARGV: id, manifest, status, client, expire_at, limit ('' for none), amounts → the status, -1: full
# and to submit: the messages' name → {the status, 1 if an encoder hears of it}, -1: full, -2: left, for it has equals
ENQUEUE = (
    PRELUDE
    + RINGING
    + """
local id, limit, messages, is_heard = ARGV[1], tonumber(ARGV[6]), ARGV[8], 0
if redis.call('EXISTS', key('job:' .. id)) == 0 then
  local work = messages and work_of(ARGV[2])
  if work and redis.call('EXISTS', key('same:' .. work)) == 1 then return -2 end
  if limit and redis.call('ZCARD', key('queue')) >= limit then return -1 end
  add(key('totals'), cjson.decode(ARGV[7]))
  line_up(id, ARGV[4], ARGV[2], false)
  local status = cjson.decode(ARGV[3])
  place(status, redis.call('ZRANK', key('queue'), id), encoder_count(), mean_ms())
  create(id, ARGV[2], cjson.encode(status), ARGV[4], ARGV[5])
  if messages and ring(prefix, messages, 1) == 0 then is_heard = 1 end
end
local status = redis.call('HGET', key('job:' .. id), 'status')
return messages and {status, is_heard} or status
"""
)

# ARGV: id, manifest, status, client, expire_at, limit ('' for none), amounts, token, lease_ms → the status, or -1: the queue is full
RESERVE = (
    PRELUDE
    + """
local id, limit = ARGV[1], tonumber(ARGV[6])
if redis.call('EXISTS', key('job:' .. id)) == 0 then
  if limit and redis.call('ZCARD', key('queue')) + redis.call('ZCARD', key('fetching')) >= limit then return -1 end
  add(key('totals'), cjson.decode(ARGV[7]))
  create(id, ARGV[2], ARGV[3], ARGV[4], ARGV[5])
  redis.call('HSET', key('job:' .. id), 'token', ARGV[8])
  redis.call('ZADD', key('fetching'), now_ms() + ARGV[9], id)
end
return redis.call('HGET', key('job:' .. id), 'status')
"""
)

# ARGV: id, token, lease_ms, percent → 1, 0: not yours, -1: unknown
RENEW_FETCH_LEASE = (
    PRELUDE
    + """
local id = ARGV[1]
local job = redis.call('HMGET', key('job:' .. id), 'state', 'token', 'status')
if not job[1] then return -1 end
if job[1] ~= 'queued' or job[2] ~= ARGV[2] then return 0 end
redis.call('ZADD', key('fetching'), now_ms() + ARGV[3], id)
if tonumber(ARGV[4]) > cjson.decode(job[3]).progress then change(id, {progress = tonumber(ARGV[4])}) end
return 1
"""
)

# ARGV: id, token, lease_ms → 1 if the lease had run out
TAKE_OVER_FETCH = (
    PRELUDE
    + """
local until_ms = redis.call('ZSCORE', key('fetching'), ARGV[1])
if not until_ms or tonumber(until_ms) > now_ms() then return 0 end
redis.call('HSET', key('job:' .. ARGV[1]), 'token', ARGV[2])
redis.call('ZADD', key('fetching'), now_ms() + ARGV[3], ARGV[1])
return 1
"""
)

# ARGV: id, manifest, status, client, expire_at, amounts of a job that was unknown, amounts of its source → the status
ATTACH_SOURCE = (
    PRELUDE
    + """
local id = ARGV[1]
local known = redis.call('HMGET', key('job:' .. id), 'state', 'status')
if not known[1] then
  add(key('totals'), cjson.decode(ARGV[6]))
  create(id, ARGV[2], ARGV[3], ARGV[4], ARGV[5])
  known = {'queued', ARGV[3]}
end
redis.call('HSET', key('job:' .. id), 'manifest', ARGV[2], 'token', '')
redis.call('ZREM', key('fetching'), id)
if known[1] == 'queued' and not redis.call('ZSCORE', key('queue'), id) then
  add(key('totals'), cjson.decode(ARGV[7]))
  line_up(id, ARGV[4], ARGV[2], false)
  local status = cjson.decode(known[2])
  place(status, redis.call('ZRANK', key('queue'), id), encoder_count(), mean_ms())
  change(id, {position = status.position, eta_s = status.eta_s})
end
return redis.call('HGET', key('job:' .. id), 'status')
"""
)

# ARGV: id, manifest, status, client, expire_at → 1 if it was unknown
RESTORE = (
    PRELUDE
    + """
if redis.call('EXISTS', key('job:' .. ARGV[1])) == 1 then return 0 end
create(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if cjson.decode(ARGV[3]).state == 'succeeded' then note_result(ARGV[1], ARGV[2], ARGV[5]) end
return 1
"""
)

# ARGV: token, lease_ms → {manifest, status, jobs that succeeded with its work} or nil
TAKE = (
    PRELUDE
    + """
while true do
  local head = redis.call('ZPOPMIN', key('queue'))
  if #head == 0 then return nil end
  local id = head[1]
  redis.call('ZREM', key('waiting'), id)
  redis.call('SET', key('queue:now'), string.format('%.0f', math.floor(tonumber(head[2]) / 1048576)))
  local job = redis.call('HMGET', key('job:' .. id), 'state', 'manifest', 'status')
  if job[1] == 'queued' then
    local ms = now_ms()
    local tries = redis.call('HINCRBY', key('job:' .. id), 'tries', 1)
    local work = work_of(job[2])
    local leader = work and redis.call('GET', key('leader:' .. work))
    local begun = {state = 'running', stage = 'decode', progress = cjson.decode(job[3]).progress, started_at = ms / 1000, attempt = tries,
                   position = cjson.null, eta_s = cjson.null}
    redis.call('ZADD', key('running'), ms + ARGV[2], id)
    if leader and redis.call('HGET', key('job:' .. leader), 'state') == 'running' then
      local ahead = cjson.decode(redis.call('HGET', key('job:' .. leader), 'status'))
      begun.stage, begun.progress, begun.eta_s = ahead.stage, math.max(begun.progress, ahead.progress), ahead.eta_s
      redis.call('HSET', key('job:' .. id), 'token', '', 'leader', leader)
      redis.call('SADD', key('twins:' .. leader), id)
      redis.call('EXPIRE', key('twins:' .. leader), 86400)
      change(id, begun)
    else
      if work then redis.call('SET', key('leader:' .. work), id, 'EX', 86400) end
      redis.call('HSET', key('job:' .. id), 'token', ARGV[1], 'leader', '')
      change(id, begun)
      return {job[2], redis.call('HGET', key('job:' .. id), 'status'), work and redis.call('ZREVRANGE', key('same:' .. work), 0, 7) or {}}
    end
  end
end
"""
)

# Of a passing job nobody watches anything but the end.
# A job that waits and was never handed out is one that a rebuild has just queued: whoever reports had it from the state before.
# ARGV: id, token, lease_ms, patch → {the job's seq, 0: not yours, -1: unknown; how many heard of it}
REPORT = (
    PRELUDE
    + """
local id = ARGV[1]
local job = redis.call('HMGET', key('job:' .. id), 'state', 'token', 'seq', 'tries', 'passing')
if not job[1] or (job[1] == 'queued' and job[4] == '0') then return {-1, 0} end
if job[1] ~= 'running' or job[2] ~= ARGV[2] then return {0, 0} end
redis.call('ZADD', key('running'), now_ms() + ARGV[3], id)
local listeners = 0
local function tell(who)
  local seq, heard = change(who, cjson.decode(ARGV[4]))
  listeners = listeners + heard
  return seq
end
for _, twin in ipairs(redis.call('SMEMBERS', key('twins:' .. id))) do
  local other = redis.call('HMGET', key('job:' .. twin), 'state', 'leader', 'passing')
  if other[1] == 'running' and other[2] == id then
    redis.call('ZADD', key('running'), now_ms() + ARGV[3], twin)
    if ARGV[4] ~= '' and not other[3] then tell(twin) end
  end
end
local seq = tonumber(job[3])
if ARGV[4] ~= '' and not job[5] then seq = tell(id) end
return {seq, listeners}
"""
)

# ARGV: id, manifest, status, client, expire_at, token, lease_ms, amounts if it was unknown → 1 adopted, 0 somebody else has it
READOPT = (
    PRELUDE
    + """
local id = ARGV[1]
local state = redis.call('HGET', key('job:' .. id), 'state')
if state and state ~= 'queued' then return 0 end
unqueue(id)
if state then
  local known = cjson.decode(redis.call('HGET', key('job:' .. id), 'status'))
  local status = cjson.decode(ARGV[3])
  status.seq = math.max(known.seq, status.seq) + 1
  record(id, status)
else
  create(id, ARGV[2], ARGV[3], ARGV[4], ARGV[5])
  add(key('totals'), cjson.decode(ARGV[8]))
end
redis.call('HSET', key('job:' .. id), 'token', ARGV[6], 'tries', 1)
redis.call('ZADD', key('running'), now_ms() + ARGV[7], id)
return 1
"""
)

# ARGV: id, manifest, status, client, expire_at, outcome patch, ms that the encode took or '',
#       amounts of the end, of a job that was unknown, of the pace, 'alone' to leave what has twins, 'known' also what is unknown
#       → the status as recorded, -2: left
END = (
    PRELUDE
    + """
local id = ARGV[1]
if ARGV[11] and redis.call('EXISTS', key('twins:' .. id)) == 1 then return -2 end
local state = redis.call('HGET', key('job:' .. id), 'state')
if ARGV[11] == 'known' and not state then return -2 end
if state ~= 'running' then unqueue(id) end
redis.call('ZREM', key('running'), id)
if not state or state == 'queued' or state == 'running' then
  add(key('totals'), cjson.decode(ARGV[8]))
  local pace = key('pace:' .. math.floor(now_ms() / 10000))
  add(pace, cjson.decode(ARGV[10]))
  redis.call('EXPIRE', pace, 120)
end
if not state then
  add(key('totals'), cjson.decode(ARGV[9]))
  create(id, ARGV[2], ARGV[3], ARGV[4], ARGV[5])
elseif state == 'queued' or state == 'running' then
  if ARGV[7] ~= '' then
    redis.call('LPUSH', key('recent'), ARGV[7])
    redis.call('LTRIM', key('recent'), 0, 19)
  end
  local patch = cjson.decode(ARGV[6])
  if patch.state == 'cancelled' then take_away(id) end
  redis.call('HSET', key('job:' .. id), 'token', '')
  change(id, patch)
end
if redis.call('HGET', key('job:' .. id), 'state') == 'succeeded' then note_result(id, ARGV[2], ARGV[5]) end
let_go(id, ARGV[2])
return redis.call('HGET', key('job:' .. id), 'status')
"""
)

# ARGV: id → how often it was tried, or -1 when it no longer runs
REQUEUE = (
    PRELUDE
    + """
local id = ARGV[1]
redis.call('ZREM', key('running'), id)
local job = redis.call('HMGET', key('job:' .. id), 'state', 'client', 'tries', 'manifest')
if job[1] ~= 'running' then return -1 end
take_away(id)
redis.call('HSET', key('job:' .. id), 'token', '')
add(key('totals'), {encoders_lost = 1})
let_go(id, job[4])
line_up(id, job[2], job[4], true)
change(id, {state = 'queued', stage = cjson.null, progress = 0, position = 0, eta_s = cjson.null, started_at = cjson.null})
return tonumber(job[3])
"""
)

# ARGV: id
FORGET = (
    PRELUDE
    + """
local state = redis.call('HGET', key('job:' .. ARGV[1]), 'state')
local manifest = redis.call('HGET', key('job:' .. ARGV[1]), 'manifest')
if state == 'queued' or state == 'running' then add(key('totals'), {['ended:erased:'] = 1}) end
take_away(ARGV[1])
unqueue(ARGV[1])
for _, name in ipairs({'running', 'expiry', 'ended:succeeded', 'ended:failed', 'ended:cancelled'}) do redis.call('ZREM', key(name), ARGV[1]) end
local maker = redis.call('HGET', key('listers'), ARGV[1])
if maker then
  redis.call('ZREM', key('listed:' .. maker), ARGV[1])
  redis.call('HDEL', key('listers'), ARGV[1])
end
redis.call('DEL', key('job:' .. ARGV[1]), key('log:' .. ARGV[1]))
if manifest then
  let_go(ARGV[1], manifest)
  local work = work_of(manifest)
  if work then redis.call('ZREM', key('same:' .. work), ARGV[1]) end
end
redis.call('PUBLISH', key('ended:' .. ARGV[1]), '')
redis.call('PUBLISH', key('changed:' .. ARGV[1]), '')
return 1
"""
)

# One call, for every gateway process asks once a second.
# ARGV: name, holder, ms → 1 if it is the holder's now
ACQUIRE_DUTY = (
    PRELUDE
    + """
local duty = key('duty:' .. ARGV[1])
local holder = redis.call('GET', duty)
if holder and holder ~= ARGV[2] then return 0 end
redis.call('SET', duty, ARGV[2], 'PX', ARGV[3])
return 1
"""
)

# Jobs that were made in the same instant follow each other by their ids.
# ARGV: maker, made no later than, and if just then with a lesser id than, limit → {id, created_at, manifest, status}, newest first
ENTRIES = (
    PRELUDE
    + """
local from, before, limit, found, at = ARGV[2], ARGV[3], tonumber(ARGV[4]), {}, 0
while #found < limit do
  local page = redis.call('ZREVRANGEBYSCORE', key('listed:' .. ARGV[1]), from, '-inf', 'WITHSCORES', 'LIMIT', at, limit)
  if #page == 0 then break end
  for i = 1, #page, 2 do
    local is_later = before ~= '' and tonumber(page[i + 1]) == tonumber(from) and page[i] >= before
    if not is_later and #found < limit then
      local job = redis.call('HMGET', key('job:' .. page[i]), 'manifest', 'status')
      found[#found + 1] = {page[i], page[i + 1], job[1] or '', job[2] or ''}
    end
  end
  at = at + limit
end
return found
"""
)

# ARGV: key, amount, window_s → {count, seconds left}
COUNT_IN_WINDOW = (
    PRELUDE
    + """
local counter = key('count:' .. ARGV[1])
local count = redis.call('INCRBY', counter, ARGV[2])
if redis.call('TTL', counter) < 0 then redis.call('EXPIRE', counter, ARGV[3]) end
return {count, redis.call('TTL', counter)}
"""
)

# How the queue moves is told in steps of a tenth of the place, so that a thousand waiting jobs are not a thousand changes a second.
# → how many places were told
PUBLISH_POSITIONS = (
    PRELUDE
    + """
local encoders, mean, told = encoder_count(), mean_ms(), 0
for index, id in ipairs(redis.call('ZRANGE', key('queue'), 0, 1999)) do
  local text = redis.call('HGET', key('job:' .. id), 'status')
  if text then
    local rank, status = index - 1, cjson.decode(text)
    local known = tonumber(status.position)
    if not known or math.abs(known - rank) >= math.max(1, known / 10) then
      place(status, rank, encoders, mean)
      status.seq = status.seq + 1
      record(id, status)
      told = told + 1
    end
  end
end
return told
"""
)

# ARGV: amounts
ADD_TOTALS = (
    PRELUDE
    + """
add(key('totals'), cjson.decode(ARGV[1]))
return 1
"""
)

# → now in ms, queued, running, succeeded, failed, cancelled, when the oldest waiting job was made, totals, encoders, pace, seconds that it spans
OVERVIEW = (
    PRELUDE
    + """
local now, pace = now_ms(), {}
local newest = math.floor(now / 10000)
for n = newest - 6, newest do
  local sums = redis.call('HGETALL', key('pace:' .. n))
  for i = 1, #sums, 2 do pace[sums[i]] = (pace[sums[i]] or 0) + tonumber(sums[i + 1]) end
end
local function size(name) return redis.call('ZCARD', key(name)) end
local oldest = redis.call('ZRANGE', key('waiting'), 0, 0, 'WITHSCORES')
return {tostring(now), size('queue'), size('running'), size('ended:succeeded'), size('ended:failed'), size('ended:cancelled'),
        oldest[2] or '', redis.call('HGETALL', key('totals')), redis.call('HVALS', key('encoders')),
        next(pace) and cjson.encode(pace) or '{}', tostring(60 + now % 10000 / 1000), tostring(mean_ms() or 0)}
"""
)

SOURCES = {
    "enqueue": ENQUEUE,
    "reserve": RESERVE,
    "renew_fetch_lease": RENEW_FETCH_LEASE,
    "take_over_fetch": TAKE_OVER_FETCH,
    "attach_source": ATTACH_SOURCE,
    "restore": RESTORE,
    "take": TAKE,
    "report": REPORT,
    "readopt": READOPT,
    "end": END,
    "requeue": REQUEUE,
    "forget": FORGET,
    "acquire_duty": ACQUIRE_DUTY,
    "entries": ENTRIES,
    "count_in_window": COUNT_IN_WINDOW,
    "publish_positions": PUBLISH_POSITIONS,
    "add_totals": ADD_TOTALS,
    "overview": OVERVIEW,
}


class Scripts:
    """Runs the scripts on one server, on the keys under one prefix."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self.client, self.prefix = client, prefix
        self._scripts = {name: client.register_script(source) for name, source in SOURCES.items()}

    def key(self, name: str) -> str:
        return self.prefix + name

    def sha(self, name: str) -> str:
        return str(self._scripts[name].sha)

    def run(self, name: str, *arguments: Any) -> Any:
        """The script's answer. Raises ``BackendUnavailable``."""
        with translated():
            return self._scripts[name](keys=[self.prefix], args=arguments)

-- Write down how a round of the Janitor went.
-- ARGV: kind, the part that failed ('' for none)
-- Answer: 1.
begin_in_any_case()
local kind, trouble = unpack(ARGV)
if trouble == '' then redis.call('HSET', key('upkeep'), kind, now_ms()) end
redis.call('HSET', key('upkeep'), kind .. ':trouble', trouble)
return 1

-- Ask for a scan of the store, unless one is asked for.
-- ARGV: why, ms until it is due
-- Answer: 1.
begin_in_any_case()
local why, after_ms = unpack(ARGV)
redis.call('SETNX', key('scan:wanted'), (now_ms() + after_ms) .. ' ' .. why)
return 1

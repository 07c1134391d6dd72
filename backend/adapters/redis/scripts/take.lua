-- Give out the next job in fair order. A job whose work is being encoded follows the job that is, and the next one is looked at.
-- ARGV: token, lease in ms
-- Answer: {manifest, status, ids of completed duplicates, how many watch the job}; nil when no job waits.
begin_in_any_case()
local token, lease_ms = unpack(ARGV)
while true do
  local id = next_in_queue()
  if not id then return nil end
  local claim = give_out(id, token, lease_ms)
  if claim then return claim end
end

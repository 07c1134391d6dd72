-- Make an ended job known again, unless it is known.
-- ARGV: id, manifest, status as the store has it, client, expire_at, what is added to its seq where the state was lost
-- Answer: the status.
begin_if_there_is_room()
local id, manifest, status_text, client, expire_at, margin = unpack(ARGV)
return redis.call('HGET', key('job:' .. id), 'status') or bring_back(id, manifest, cjson.decode(status_text), client, expire_at, margin)

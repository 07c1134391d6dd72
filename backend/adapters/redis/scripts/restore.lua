-- Make an ended job known again, unless it is known.
-- ARGV: id, manifest, status, client, expire_at
-- Answer: 1 if it was unknown, else 0.
local id, manifest, status, client, expire_at = unpack(ARGV)
if redis.call('EXISTS', key('job:' .. id)) == 1 then return 0 end
create(id, manifest, status, client, expire_at)
if cjson.decode(status).state == 'succeeded' then note_result(id, manifest, expire_at) end
return 1

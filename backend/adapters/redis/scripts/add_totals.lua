-- ARGV: amounts
-- Answer: 1.
local amounts = unpack(ARGV)
add(key('totals'), cjson.decode(amounts))
return 1

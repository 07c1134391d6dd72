-- ARGV: messages' name, how many encoders
-- Answer: how many Celery messages are wanted besides.
local messages, wanted = unpack(ARGV)
return ring(messages, tonumber(wanted))

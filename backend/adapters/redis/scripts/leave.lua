-- A process ends in order.
-- ARGV: 'encoders' or 'gateways', name
-- Answer: nothing.
begin_in_any_case()
forget_process(ARGV[1], ARGV[2])

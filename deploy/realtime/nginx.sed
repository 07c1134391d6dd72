# deploy/nginx.conf for a realtime process of its own:  sed -f deploy/realtime/nginx.sed deploy/nginx.conf
# Sockets and event streams go to the realtime process …
/^upstream gateway_sockets {/,/^}/ s/127\.0\.0\.1:5000/127.0.0.1:5001/
# … and so does every request that waits for news (Prefer: wait), which would keep a thread of the others. All else stays as it is.
s/^map \$request_method \$gateway_pool {$/map $http_prefer $gateway_pool {\
    default $gateway_pool_by_method;\
    "~*(^|[,;\\s])wait\\s*=" gateway_sockets;\
}\
map $request_method $gateway_pool_by_method {/

# deploy/nginx.conf for four Gunicorns of one worker each, on ports of their own:  sed -f deploy/ports/nginx.sed deploy/nginx.conf
# Another port is one more line. A process that fails twice within 5 s is left out for 5 s; weight=2 gets twice as much.
s/^    server 127\.0\.0\.1:5000 \(.*\)$/    server 127.0.0.1:5001 \1\
    server 127.0.0.1:5002 \1\
    server 127.0.0.1:5003 \1\
    server 127.0.0.1:5004 \1/

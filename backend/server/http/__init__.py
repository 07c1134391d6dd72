"""HTTP beyond Gunicorn's own: bodies from the socket, timeouts, chunked answers, errors."""

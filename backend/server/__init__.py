"""What Gunicorn runs: the worker class, its connections, WebSockets, Socket.IO sessions across workers, metrics. It knows no image and no job."""

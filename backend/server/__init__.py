"""What Gunicorn runs: the worker class, WebSocket frames, Socket.IO sessions across workers, the loop's delay. Knows no image and no job."""

"""A receiver of webhooks in a process of its own, so that it can be killed.

    python -m tests.support.receiver_process PORT FILE SECRET

It verifies each message with the ``standardwebhooks`` library, writes a line for it, and then answers. One in ten is answered with 500 all the same.
"""

from __future__ import annotations

import json
import os
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def main(port: int, file: str, secret: str) -> None:
    webhook, fd = Webhook(secret), os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                event, is_genuine = webhook.verify(body, {name.lower(): value for name, value in self.headers.items()}), True
            except WebhookVerificationError:
                event, is_genuine = json.loads(body), False
            line = {"id": self.headers["webhook-id"], "type": event["type"], "subject": event["data"]["id"], "is_genuine": is_genuine}
            os.write(fd, json.dumps(line).encode() + b"\n")
            self.send_response(500 if random.random() < 0.1 else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])

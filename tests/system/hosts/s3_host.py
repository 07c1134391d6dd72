"""The S3 server of a host, until it is killed.

    python -m tests.system.hosts.s3_host moto|seaweedfs PORT FOLDER
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.support import s3_server


def main(kind: str, port: int, folder: Path) -> None:
    serving = s3_server.serving(port) if kind == "moto" else s3_server.serving_seaweedfs(port, folder=folder)
    with serving:
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

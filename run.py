"""The WSGI application: ``gunicorn run:app``. Everything is patched for gevent before anything else is imported.

``python run.py`` serves the same thing without the gunicorn command, for those who package it.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from backend.errors import CannotStart, SettingsError  # noqa: E402
from backend.server.import_filter import without_clients  # noqa: E402
from backend.settings import problem_lines  # noqa: E402
from backend.texts import operator  # noqa: E402

try:
    if __name__ == "__main__":
        from backend.server.gunicorn_app import serve

        serve("run:app")
    else:
        with without_clients():
            from backend.app import create_app

        app = application = create_app()
except SettingsError as wrong:
    print("\n".join(problem_lines(wrong)), file=sys.stderr)
    sys.exit(2)
except CannotStart as refused:
    print(operator.text(f"start.{refused.reason}", **refused.params), file=sys.stderr)
    sys.exit(refused.exit_code)

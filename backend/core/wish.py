"""What a request asks for: options for the image, and an address that is told of the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backend import errors
from backend.core import options
from backend.core.options import WEBHOOK_URL, Options, Value


@dataclass(frozen=True, slots=True)
class Wish:
    """``webhook_url`` is as it was given; empty for none."""

    options: Options = Options()
    webhook_url: str = ""


def parse(pairs: Iterable[tuple[str, Value]], default: Wish = Wish()) -> Wish:
    """The wish from (name, value) pairs over ``default``. An empty address takes back the default's. Raises ``InvalidOption``."""
    rest, urls = [], []
    for name, value in pairs:
        if name == WEBHOOK_URL:
            urls.append("" if value is None else value)
        else:
            rest.append((name, value))
    if len(urls) > 1:
        raise errors.InvalidOption("repeated", option=WEBHOOK_URL, count=len(urls))
    url = urls[0] if urls else default.webhook_url
    if not isinstance(url, str):
        raise errors.InvalidOption("webhook_url", option=WEBHOOK_URL)
    return Wish(options.parse(rest, default.options), url.strip())

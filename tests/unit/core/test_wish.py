"""Options and the receiver of an end, parted."""

from __future__ import annotations

import pytest

from backend import errors
from backend.core import options, wish
from backend.core.options import Options
from backend.core.wish import Wish


def test_the_receiver_is_no_option_and_stands_among_them() -> None:
    asked = wish.parse([("quality", "60"), ("webhook_url", " https://example.com/ ")])
    assert asked == Wish(Options(quality=60), "https://example.com/")
    assert wish.parse([("method", "2")], asked) == Wish(Options(quality=60, method=2), "https://example.com/")


@pytest.mark.parametrize("value", ["", None, "  "])
def test_an_empty_one_takes_it_back(value: object) -> None:
    assert wish.parse([("webhook_url", value)], Wish(Options(), "https://example.com/")).webhook_url == ""


@pytest.mark.parametrize("pairs", [[("webhook_url", 5)], [("webhook_url", ["a"])], [("webhook_url", "a"), ("webhook_url", "b")]])
def test_what_is_no_address_or_two_is_refused(pairs: list[tuple[str, object]]) -> None:
    with pytest.raises(errors.InvalidOption):
        wish.parse(pairs)


def test_a_misspelt_one_gets_its_name_suggested_and_where_it_is_not_taken_that_is_said() -> None:
    with pytest.raises(errors.InvalidOption) as raised:
        wish.parse([("webhookurl", "https://example.com/")])
    assert raised.value.params["suggestion"] == "webhook_url"
    assert options.is_similar("webhookUrl")
    with pytest.raises(errors.InvalidOption) as raised:
        options.parse([("webhook_url", "https://example.com/")])
    assert raised.value.variant == "webhook_unwanted"

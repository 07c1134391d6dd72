"""New keys: their form, their checksum; and the table that finds a key by its digest."""

from __future__ import annotations

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.api_keys import RANDOM_BYTES, ApiKey, KeyTable, digest_of, is_mistyped, new_key, plain_key
from backend.core.client_limits import ClientLimits

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
randoms = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(randoms)
def test_a_new_key_has_a_prefix_its_random_bits_and_their_checksum(random_bytes: bytes) -> None:
    key = new_key(random_bytes)
    assert re.fullmatch(r"wg_[0-9A-Za-z]{33}", key)
    value = 0
    for digit in key[-6:]:
        value = value * 62 + ALPHABET.index(digit)
    assert value == zlib.crc32(key[:-6].encode())
    assert not is_mistyped(key)


@given(randoms, randoms)
def test_other_random_bits_are_another_key(one: bytes, other: bytes) -> None:
    assert (new_key(one) == new_key(other)) == (one == other)


@given(randoms, st.integers(3, 35), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(random_bytes: bytes, place: int, typed: str) -> None:
    key = new_key(random_bytes)
    wrong = key[:place] + typed + key[place + 1 :]
    assert is_mistyped(wrong) == (wrong != key)


@pytest.mark.parametrize("key", ["", "a-long-secret-key", "ghp_0123456789", "WG_0123", "ключ-ключ"])
def test_a_key_of_another_form_is_not_called_mistyped(key: str) -> None:
    assert not is_mistyped(key)


@pytest.mark.parametrize("key", ["wg_", "wg_short", new_key(bytes(20))[:-1], new_key(bytes(20)) + "0", "wg_ "])
def test_a_piece_of_a_new_key_is_mistyped(key: str) -> None:
    assert is_mistyped(key)


def test_a_table_finds_a_key_by_its_digest_alone() -> None:
    table = KeyTable([plain_key("one-key-of-many"), ApiKey(digest_of("another-key"), "bob")])
    found = table.find(digest_of("another-key"))
    assert found is not None and (found.name, found.role, found.reads_figures) == ("bob", "client", False)
    assert table.find("another-key") is None and table.find("") is None
    assert (table.are_set, KeyTable().are_set) == (True, False)
    assert "one-key-of-many" not in repr(vars(table))


def test_digests_of_any_text_can_be_made() -> None:
    assert digest_of("\ud800") == digest_of("?")


def test_a_keys_own_limits_go_before_the_gateways() -> None:
    key = ApiKey("", own_limits={"jobs": 7})
    assert key.limits(ClientLimits(jobs=500, bytes_per_day=9, uploads=3)) == ClientLimits(jobs=7, bytes_per_day=9, uploads=3)

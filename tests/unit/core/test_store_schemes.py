"""Which addresses name a store."""

from __future__ import annotations

import pytest

from backend.core.store_schemes import SCHEMES, scheme_of


@pytest.mark.parametrize("name", SCHEMES)
def test_the_example_of_each_kind_is_an_address_of_it(name: str) -> None:
    example = SCHEMES[name].example
    assert example.startswith(f"{name}:") and scheme_of(example) is SCHEMES[name]


@pytest.mark.parametrize("url", ["file:///srv/store", "file:/srv/store", "FILE:///srv", "file:////srv", "file:///a b/%20"])
def test_a_folder_is_named_by_an_absolute_path(url: str) -> None:
    assert scheme_of(url) is SCHEMES["file"]


@pytest.mark.parametrize("url", ["", "file", "file://", "file:", "file://host/srv", "file:srv", "s3://", "s3://A", "s3://b", "S3://bucket", "ftp://host/x"])
def test_no_other_address_names_a_store(url: str) -> None:
    assert scheme_of(url) is None

"""The deployment tests share the whole gateway of the end-to-end tests, and find the tools that they need or say which is missing."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.system.conftest import data_dir, gateway

__all__ = ["data_dir", "gateway", "tool"]


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """The path of a program; without it the test is skipped, or fails in CI."""

    def find(name: str) -> str:
        beside = [Path(folder) / name for folder in (Path(sys.executable).parent, "/usr/sbin", "/usr/bin")]
        found = shutil.which(name) or next((str(each) for each in beside if each.exists()), None)
        return found or missing(f"{name} is not installed")

    return find

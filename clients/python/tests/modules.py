"""Modules that tests need and a user of the package does not."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import NoReturn

import pytest


def require(name: str) -> None:
    """Fails where scripts/test runs the tests, since it installs the module; elsewhere the test is skipped.

    A folder of that name in the working directory, such as ``build``, is no module.
    """
    if name in sys.modules:  # Celery's puts something in its place that has no origin
        return
    found = importlib.util.find_spec(name)
    if found is not None and found.origin is not None:
        return
    missing(f"the module {name} is not installed")


def missing(what: str) -> NoReturn:
    if "SYNCRELAY_UNDER_TEST" in os.environ:
        pytest.fail(f"{what}, although scripts/test sees to it")
    pytest.skip(what)

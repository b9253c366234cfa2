"""Seeds against the model (test_convergence.py, and with three relays on one Redis test_cluster.py), and the judge against
records that were spoilt (test_judge.py, test_judge_people.py).

The relay is $SYNCRELAY_BINARY, else build/syncrelay. $SYNCRELAY_CRASH_BINARY, one built with -Dcrash_points=true, is
taken instead where it is given, so that the relay also dies inside the batch. All: `/usr/bin/python3 -m pytest
tests/convergence`, also with `-n 2`; one seed: `/usr/bin/python3 tests/convergence --seed 17`; for long: `scripts/soak`.
"""

import asyncio
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import paths  # noqa: E402, F401

from doctored import QUIET_PLAN, with_clients  # noqa: E402
from scene import Scene  # noqa: E402


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    return asyncio.run(Scene(QUIET_PLAN, tmp_path_factory.mktemp("cv")).play())


@pytest.fixture
def record(recorded):
    """Without the tabs, which see nothing that others do not see."""
    return with_clients(recorded, set(recorded.followers) - set(recorded.company.tabs))

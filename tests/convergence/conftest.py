"""Seeds against the model (test_convergence.py), and the judge against records that were spoilt (test_judge.py).

The relay is $SYNCRELAY_BINARY, else build/syncrelay. $SYNCRELAY_CRASH_BINARY, one built with -Dcrash_points=true, is
taken instead where it is given, so that the relay also dies inside the batch. All: `/usr/bin/python3 -m pytest
tests/convergence`, also with `-n 2`; one seed: `/usr/bin/python3 tests/convergence --seed 17`; for long: `scripts/soak`.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import paths  # noqa: E402, F401

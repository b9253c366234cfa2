"""Hostile peers and faults together against one relay (test_chaos.py), and the checks themselves against what is
broken (test_ledger.py, test_counters.py, test_verdict.py).

The relay is $SYNCRELAY_BINARY, else build/syncrelay. All: `/usr/bin/python3 -m pytest tests/chaos`, also with `-n 2`;
one seed: `/usr/bin/python3 tests/chaos --seed 17`; for long: `scripts/soak`.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import paths  # noqa: E402, F401

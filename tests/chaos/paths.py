"""Makes the helpers of tests/e2e and tests/convergence importable: they are this suite's, too. Import it first."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent

for folder in (HERE.parent / "e2e", HERE.parent / "convergence", HERE):
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))

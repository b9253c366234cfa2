"""Makes the helpers of tests/e2e and tests/surroundings importable: they are this suite's, too. Import it before them."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
E2E = HERE.parent / "e2e"

for folder in (E2E, HERE.parent / "surroundings", HERE):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What builds the site, and who types what a page says.
sys.path[:0] = [str(ROOT / "scripts/lib/site"), str(ROOT / "tests/readme")]

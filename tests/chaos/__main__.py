"""Hostile peers and faults against a relay: `python3 tests/chaos --seed 17`, or new seeds for a while: `--minutes 30`.

A failing seed says what was found and how to play it again; the relay's log and data are kept in build/reports.
"""

import argparse
import random
import sys
import time

import paths  # noqa: F401

from trial import Trial

ROUNDS = 8


def run(seed, rounds):
    start = time.monotonic()
    print(f"seed {seed}: …", end="", flush=True)
    found = Trial(seed, rounds).run()
    print(f"\rseed {seed}: {'FAILED' if found else 'ok'}, {time.monotonic() - start:.1f} s", flush=True)
    return not found


def main():
    parser = argparse.ArgumentParser(prog="tests/chaos", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int, help="this one, once")
    what.add_argument("--minutes", type=float, help="new seeds until the time is up or one fails")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each seed (default {ROUNDS})")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return 0 if run(arguments.seed, arguments.rounds) else 1
    end, draw = time.monotonic() + arguments.minutes * 60, random.SystemRandom()
    while time.monotonic() < end:
        if not run(draw.randrange(10**9), arguments.rounds):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

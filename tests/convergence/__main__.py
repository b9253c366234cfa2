"""Runs seeds by hand: `python3 tests/convergence --seed 17`, or new ones for a while: `--minutes 30`; `--cluster`: with three
relays that share one Redis."""

import argparse
import random
import sys
import time

import paths  # noqa: F401

from trial import ClusterTrial, Trial


def run(kind, seed):
    trial, start = kind(seed), time.monotonic()
    found, events = trial.run()
    print(f"seed {seed}: {'FAILED' if found else 'ok'}, {events} events, {time.monotonic() - start:.1f} s", flush=True)
    for finding in found[:10]:
        print("   ", finding)
    if found:
        print("plan:", trial.plan)
        print("replay:", trial.replay(), flush=True)
    return not found


def main():
    parser = argparse.ArgumentParser(prog="tests/convergence", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int, help="this one, once")
    what.add_argument("--minutes", type=float, help="new seeds until the time is up or one fails")
    parser.add_argument("--cluster", action="store_true", help="three relays, which share one Redis")
    arguments = parser.parse_args()
    kind = ClusterTrial if arguments.cluster else Trial
    if arguments.seed is not None:
        return 0 if run(kind, arguments.seed) else 1
    end, draw = time.monotonic() + arguments.minutes * 60, random.SystemRandom()
    while time.monotonic() < end:
        if not run(kind, draw.randrange(10**9)):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

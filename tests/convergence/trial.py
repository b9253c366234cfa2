"""One seed from plan to verdict."""

import asyncio
import os
import pathlib
import shlex
import sys
import tempfile

from clock_shift import ClockShift
from cluster_judge import cluster_findings
from cluster_plan import ClusterPlan
from cluster_scene import ClusterScene
from judge import findings
from plan import Plan
from relay_process import binary, is_sanitized
from scene import Scene

HANG_SECONDS = 150.0
CRASH_BINARY = "SYNCRELAY_CRASH_BINARY"


def take_crash_binary():
    """Whether there is one."""
    if CRASH_BINARY in os.environ:
        os.environ["SYNCRELAY_BINARY"] = os.environ[CRASH_BINARY]
    return CRASH_BINARY in os.environ


class Trial:
    def __init__(self, seed):
        self.seed = seed
        self.crash_points = take_crash_binary()
        # A sanitizer's library must be the first one that is loaded, and so must this one.
        self.clock_jumps = ClockShift.is_possible() and not is_sanitized()
        self.plan = Plan.from_seed(seed, crash_points=self.crash_points, clock_jumps=self.clock_jumps)

    def replay(self):
        """The command that runs this trial again. Plan and commands are the same; the threads' timing is not."""
        variable = CRASH_BINARY if self.crash_points else "SYNCRELAY_BINARY"
        return f"{variable}={shlex.quote(binary())} {sys.executable} tests/convergence --seed {self.seed}"

    def run(self):
        """(findings, events in all channels at the end); an exception of the run is a finding, too."""
        with tempfile.TemporaryDirectory(prefix="syncrelay-cv-") as directory:
            try:
                clock = ClockShift(pathlib.Path(directory)) if self.clock_jumps else None
                record = asyncio.run(asyncio.wait_for(Scene(self.plan, directory, clock).play(), HANG_SECONDS))
            except Exception as error:  # whatever went wrong, the seed must be told
                return [f"{type(error).__name__}: {error}"], 0
        return findings(record), sum(told["seq"] for told in record.final.values())


class ClusterTrial:
    """The same of three relays that share one Redis."""

    def __init__(self, seed):
        take_crash_binary()
        self.seed, self.plan = seed, ClusterPlan.from_seed(seed)

    def replay(self):
        return f"SYNCRELAY_BINARY={shlex.quote(binary())} {sys.executable} tests/convergence --cluster --seed {self.seed}"

    def run(self):
        with tempfile.TemporaryDirectory(prefix="syncrelay-cv-") as directory:
            try:
                record = asyncio.run(asyncio.wait_for(ClusterScene(self.plan, directory).play(), HANG_SECONDS))
            except Exception as error:  # whatever went wrong, the seed must be told
                return [f"{type(error).__name__}: {error}"], 0
        return cluster_findings(record), sum(told["seq"] for told in record.final.values())

"""One seed from scenario to verdict."""

import asyncio
import os
import pathlib
import resource
import shlex
import shutil
import sys
import tempfile

from play import Play
from relay_process import REPOSITORY, binary
from scenario import Scenario

REPORTS = REPOSITORY / "build" / "reports"


class Trial:
    def __init__(self, seed, rounds):
        self.scenario = Scenario.from_seed(seed, rounds)
        self._rounds = rounds
        self._evidence = REPORTS / f"chaos-{seed}-{os.getpid()}"

    def replay(self):
        """The command that plays this again. The plan is the same; the timing is not."""
        return (f"SYNCRELAY_BINARY={shlex.quote(binary())} {sys.executable} tests/chaos "
                f"--seed {self.scenario.seed} --rounds {self._rounds}")

    def run(self):
        """The findings; none means that the relay bore it all."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        directory = pathlib.Path(tempfile.mkdtemp(prefix="syncrelay-ch-"))
        try:
            play = Play(self.scenario, directory)
            asyncio.run(play.run(self._evidence))
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        if play.found:
            self._tell(play)
        return play.found

    def _tell(self, play):
        self._evidence.mkdir(parents=True, exist_ok=True)
        (self._evidence / "report.txt").write_text(self.report(play) + "\n")
        print("\n" + self.report(play), f"kept in {self._evidence}", sep="\n", flush=True)

    def report(self, play):
        plan = self.scenario.rounds[play.rounds_played]
        return "\n".join([
            f"seed {self.scenario.seed}, round {play.rounds_played}: {plan}",
            f"options: {' '.join(self.scenario.options)}; data: {self.scenario.data}, small disk: "
            f"{play.stage.has_disk}, open files: {self.scenario.open_files}",
            *(f"    {finding}" for finding in play.found[:12]),
            "the relay's last lines:", play.stage.last_lines(), f"replay: {self.replay()}"])

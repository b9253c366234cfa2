"""A relay's part in a cluster: the program log_driver, and what it has said."""

import os
import signal
import subprocess
import threading
from pathlib import Path

from deadline import wait_until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SYNCRELAY_LOG_DRIVER", str(ROOT / "build/tests/cluster/log_driver"))


class Driver:
    def __init__(self, url: str, **settings):
        words = [PROGRAM, url]
        for name, value in settings.items():
            words += ["option", *value] if name == "option" else [name, str(value)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.lines: list[str] = []
        self.log: list[str] = []
        for stream, kept in ((self.process.stdout, self.lines), (self.process.stderr, self.log)):
            threading.Thread(target=self._read, args=(stream, kept), daemon=True).start()
        self.id = self.wait_for("relay ")[6:]

    @staticmethod
    def _read(stream, kept) -> None:
        for line in stream:
            kept.append(line.rstrip("\n"))

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def all(self, beginning: str, since: int = 0) -> list[str]:
        return [line for line in self.lines[since:] if line.startswith(beginning)]

    def wait_for(self, beginning: str, since: int = 0, seconds: float = 20.0) -> str:
        def found():
            return next(iter(self.all(beginning, since)), None)
        return wait_until(found, lambda: f"{beginning!r} in\n" + "\n".join(self.lines[-20:] + self.log[-20:]), seconds)

    def ask(self, question: str) -> list[str]:
        since = len(self.lines)
        self.say(question)
        return self.wait_for(question + " ", since).split(" ")[1:]

    def epoch(self) -> str:
        return self.ask("state")[0]

    def row(self) -> list[str]:
        """All texts, in order."""
        return self.ask("state")[2].split(";")[:-1]

    def has(self, *texts: str) -> bool:
        return set(texts) <= set(self.row())

    def until_has(self, *texts: str, seconds: float = 20.0) -> None:
        wait_until(lambda: self.has(*texts), lambda: f"{texts} in {self.row()[-10:]}\n" + "\n".join(self.log[-10:]),
                   seconds)

    def append(self, *texts: str) -> None:
        for text in texts:
            self.say(f"append {text}")

    def histories(self) -> dict[str, list[str]]:
        """Under each epoch the longest row that it was told."""
        since = len(self.lines)
        self.say("history")
        wait_until(lambda: "." in self.lines[since:], "the histories")
        words = [line.split(" ") for line in self.all("history ", since)]
        return {word[1]: word[3].split(";")[:-1] for word in words}

    def own_came_back(self) -> int:
        return (sum(int(line.split(" ")[3]) for line in self.all("letters ") + self.all("loaded "))
                + sum(int(line.split(" ")[2]) for line in self.all("renamed ")))

    def is_reachable(self) -> bool:
        return self.ask("health")[0] == "1"

    def is_caught_up(self) -> bool:
        return self.ask("health")[1] == "1"

    def stop(self) -> None:
        self.say("stop")
        assert self.process.wait(timeout=15) == 0

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def dispose(self) -> None:
        ended = self.process.poll()
        if ended is None:
            self.resume()
            self.kill()
        report = [line for line in self.log if "Sanitizer" in line or "runtime error" in line]
        assert not report and ended in (None, 0, -9), "\n".join(self.log[-40:])

"""A browser with one page per person, driven through driver.cjs."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "build/npm/node_modules"
DRIVERS = {"chromium": "playwright-core", "firefox": "puppeteer-core"}
EXECUTABLES = {"chromium": ("chromium", "chromium-browser"), "firefox": ("firefox-esr", "firefox")}


def executable(name: str) -> str | None:
    return next(filter(None, map(shutil.which, EXECUTABLES[name])), None)


def what_is_missing(name: str) -> str | None:
    if not shutil.which("node"):
        return "node is not installed"
    if not (MODULES / DRIVERS[name]).is_dir():
        return f"{DRIVERS[name]} is not installed (scripts/test installs it where npm is there)"
    return None if executable(name) else f"{name} is not installed"


class Browser:
    """Runs until close(). Its start takes seconds, so tests share it; each of its pages is a person of its own."""

    def __init__(self, name="chromium"):
        self._driver = subprocess.Popen(
            ["node", Path(__file__).with_name("driver.cjs"), name], text=True,
            env={**os.environ, "NODE_PATH": str(MODULES), "BROWSER": executable(name)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def open(self, url, **look):
        """`look`: `width` and `height` in pixels; `scheme`, light or dark, for Chromium only."""
        return Page(self, self.ask("open", url=url, **look))

    def open_tab(self, beside, url):
        """Another page of the same person, who has one storage."""
        return Page(self, self.ask("open", url=url, beside=beside.number))

    def ask(self, action, **details):
        print(json.dumps({"do": action, **details}), file=self._driver.stdin, flush=True)
        answer = json.loads(self._driver.stdout.readline() or '{"error": "the driver has ended"}')
        assert "error" not in answer, f"{action} {details}: {answer['error']}"
        return answer["result"]

    def close_pages(self):
        """Ends the people of one test, with all that they stored."""
        self.ask("close_pages")

    def kill(self):
        """All its processes at once, as a crash of the machine would: nothing is closed by itself. Once is enough."""
        if self._driver.poll() is not None:
            return
        for pid in [*descendants(self._driver.pid), self._driver.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._driver.wait(15)
        self._driver.stdin.close()
        self._driver.stdout.close()

    def close(self):
        self._driver.stdin.close()
        self._driver.wait(15)
        self._driver.stdout.close()


def descendants(pid):
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])

    def below(parent):
        children = [each for each, its_parent in parents.items() if its_parent == parent]
        return children + [each for child in children for each in below(child)]
    return below(pid)


class Page:
    def __init__(self, browser, number):
        self._browser = browser
        self.number = number

    def _ask(self, action, **details):
        return self._browser.ask(action, page=self.number, **details)

    def click(self, selector):
        self._ask("click", selector=selector)

    def hold(self, selector):
        """The mouse goes there, and its button down."""
        self._ask("hover", selector=selector)
        self._ask("down")

    def release(self):
        self._ask("up")

    def focus(self, selector):
        self._ask("focus", selector=selector)

    def press(self, key):
        self._ask("press", key=key)

    def hold_key(self, key):
        """Goes down; again while it is down already, it is a repetition."""
        self._ask("key_down", key=key)

    def release_key(self, key):
        self._ask("key_up", key=key)

    def text(self, selector):
        return self._ask("text", selector=selector)

    def wait_for(self, selector, text):
        self._ask("wait", selector=selector, text=text)

    def evaluate(self, script):
        """The value of an expression, awaited when it is a promise."""
        return self._ask("evaluate", script=script)

    def complaints(self):
        """Errors of the console and exceptions that nobody caught."""
        return self._ask("complaints")

    def requests(self):
        """The URLs of all that it has loaded."""
        return self._ask("requests")

    def violations(self):
        """What its Content-Security-Policy has kept out."""
        return self.evaluate("window.violations")

    def type(self, text):
        """By the keyboard, where it is."""
        self._ask("type", text=text)

    def screenshot(self, path, whole=False):
        """`whole`: not only what is seen, but all down to the end."""
        self._ask("screenshot", path=str(path), whole=whole)

"""A project that installs the packed browser client and builds a React page for production."""

import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from browser import MODULES, ROOT

CLIENT = ROOT / "clients/js"
SOURCE = Path(__file__).with_name("react_app")


def what_is_missing() -> str | None:
    if not shutil.which("npm"):
        return "npm is not installed"
    absent = [name for name in ("react", "react-dom", "vite") if not (MODULES / name).is_dir()]
    return f"not installed (scripts/test does so where npm is there): {', '.join(absent)}" if absent else None


class ReactProject:
    """In a folder beside the modules that it shares with the tests: its React is theirs, and the only one."""

    def __init__(self):
        self.folder = MODULES.parent / "react_app"
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(SOURCE, self.folder)

    def install(self) -> str:
        """By the way that clients/js/README.md shows, from a copy. Returns what npm said.

        Packing takes dist away and rewrites package.json for a while, which the client's own tests, run at the same
        time, would see.
        """
        copy = MODULES.parent / "client"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(CLIENT, copy, ignore=shutil.ignore_patterns("node_modules", "dist", ".cache", "*.tgz"))
        run("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", folder=copy)
        run("npm", "pack", "--pack-destination", self.folder, folder=copy)
        [packed] = self.folder.glob("syncrelay-*.tgz")
        return run("npm", "install", "--no-audit", "--no-fund", f"./{packed.name}", folder=self.folder)

    def build(self) -> Path:
        """Returns the folder that a web server would be given."""
        run("node", MODULES / "vite/bin/vite.js", "build", "--base", "./", folder=self.folder)
        return self.folder / "dist"


def run(*command, folder) -> str:
    ended = subprocess.run([str(word) for word in command], cwd=folder, text=True, timeout=300,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert ended.returncode == 0, f"{command} in {folder}:\n{ended.stdout}"
    return ended.stdout


class WebServer:
    """Serves a folder on a free port until close()."""

    def __init__(self, folder):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

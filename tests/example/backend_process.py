"""The example backend as a process: uvicorn on a free port, pushing to a relay under test."""

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTED = re.compile(r"Uvicorn running on http://[^:]+:(\d+)")


class BackendProcess:
    """Ready for requests when the constructor returns. `port` can be given to a successor."""

    def __init__(self, relay, port=0):
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "clients/python/src"),
            "SYNCRELAY_RUNTIME_DIR": str(relay.runtime_dir),
            "SYNCRELAY_PORT": str(relay.port),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", str(port)],
            cwd=ROOT / "examples/backend", env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._log = []
        self.port = self._started_port()
        self._reader = threading.Thread(target=self._log.extend, args=(self._process.stderr,))
        self._reader.start()

    def _started_port(self):
        for line in self._process.stderr:
            self._log.append(line)
            if found := STARTED.search(line):
                return int(found[1])
        raise RuntimeError(f"the backend did not start:\n{''.join(self._log)}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def post(self, path, body):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def kill(self):
        """As a crash: kill -9."""
        self._process.kill()
        self._process.wait(15)

    def stop(self):
        """Returns its exit code and what it logged."""
        self._process.terminate()
        code = self._process.wait(15)
        self._reader.join()
        self._process.stderr.close()
        return code, "".join(self._log)

"""A relay that is looked at before it is ready, as one that waits for its cluster."""

import json
import os

from deadline import wait_until
from relay_process import LISTENING, RelayProcess


class EarlyRelay(RelayProcess):
    """Is there as soon as it listens. Its client listener is opened first, so it has the lower descriptor."""

    def _read_ready_line(self):
        port, admin = wait_until(self._listening_ports, "the relay listens")
        endpoint = f"ipc://{self.runtime_dir}/commands.sock"
        return json.dumps({"port": port, "admin": admin, "commands": [endpoint]})

    def wait_until_ready(self):
        return json.loads(super()._read_ready_line())

    def _listening_ports(self):
        """None: not both are there."""
        self.pid = self._process.pid
        ports = {}
        with open(f"/proc/{self.pid}/net/tcp", encoding="ascii") as table:
            for row in [line.split() for line in table.readlines()[1:]]:
                if row[3] == LISTENING:
                    ports[f"socket:[{row[9]}]"] = int(row[1].rpartition(":")[2], 16)
        links = [self._link(number) for number in sorted(map(int, os.listdir(f"/proc/{self.pid}/fd")))]
        found = [ports[link] for link in links if link in ports]
        return found if len(found) == 2 else None

    def _link(self, number):
        try:
            return os.readlink(f"/proc/{self.pid}/fd/{number}")
        except FileNotFoundError:
            return None

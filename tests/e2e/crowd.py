"""Thousands of connections at once, opened as fast as one Python process can."""

import resource

from raw_client import RawClient, upgrade_request

BATCH = 256  # below the listening socket's backlog
RESERVE = 500  # descriptors that the test itself needs


def largest(wanted):
    """As many connections as both this process and the relay may hold open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, hard - RESERVE)


class Crowd:
    """Addresses 127.0.0.2 and up as sources, since one address has too few ports for all waves."""

    def __init__(self, port):
        self._port = port
        self._members = []
        self._waves = 1

    def join(self, count):
        """Returns when each of `count` new clients has its snapshot."""
        self._waves += 1
        for begin in range(0, count, BATCH):
            batch = [self._connect() for _ in range(min(BATCH, count - begin))]
            for client in batch:
                status, _ = client.read_head()
                assert status == 101, status
                assert client.read_text().startswith('{"type":"sync:full"')
            self._members += batch

    def _connect(self):
        client = RawClient(self._port, source=f"127.0.0.{self._waves}", seconds=10)
        client.send(upgrade_request())
        return client

    def each_reads(self, event_type):
        """Every member's next message is an event of this type."""
        for client in self._members:
            assert client.read_text().startswith(f'{{"type":"{event_type}"')

    def leave(self):
        """Half of them by closing, half by a reset."""
        for number, client in enumerate(self._members):
            client.close() if number % 2 else client.reset()
        self._members.clear()

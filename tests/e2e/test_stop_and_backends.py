"""A relay that is stopped as asked takes leave of backends that go on sending."""

import threading

import pytest
import zmq

from control_peer import ControlPeer
from deadline import wait_until

ROUNDS = 3


class SteadyBackend:
    """Pushes numbers from a thread of its own, through all that happens to the relay."""

    def __init__(self, endpoint, pause):
        self.sent = 0
        self._endpoint, self._pause, self._ending = endpoint, pause, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
            socket.set(zmq.RECONNECT_IVL, 20)
            socket.connect(self._endpoint)
            while not self._ending.wait(self._pause):
                self.sent += 1
                socket.send(b'{"op":"broadcast","type":"n","data":%d}' % self.sent)
            socket.close(linger=10_000)

    def end(self):
        self._ending.set()
        self._thread.join()


@pytest.mark.parametrize("pause", [0.0005, 0.02], ids=["crowded", "now-and-then"])
def test_no_command_is_lost_when_the_relay_is_stopped_and_started(start_relay, tmp_path, pause):
    relay = start_relay("--data", str(tmp_path), "--log-events", "100000")
    epoch = relay.health()["epoch"]
    backend = SteadyBackend(relay.endpoint, pause)
    for _ in range(ROUNDS):
        before = backend.sent
        wait_until(lambda so_far=before: backend.sent > so_far + 10, "the backend goes on")
        assert relay.stop() == 0
        relay = start_relay("--data", str(tmp_path), "--log-events", "100000")
    backend.end()
    peer = ControlPeer(relay.ready["control"][0])
    wait_until(lambda: peer.confirm({"op": "state"})["seq"] >= backend.sent, "all that was sent is in the log")
    assert peer.confirm({"op": "state"})["seq"] == backend.sent
    assert relay.health()["epoch"] == epoch
    peer.close()

"""A backend that wants answers: one socket on the control endpoint, with a context of its own."""

import contextlib
import json

import zmq

from deadline import PATIENCE

MILLISECONDS = 1000
SMALL_BUFFER = 4096


class NoAnswer(Exception):
    """The relay did not answer in time."""


class ControlPeer:
    """REQ takes turns; DEALER sends as it likes, and puts frames of its own before the body."""

    def __init__(self, endpoint, kind=zmq.REQ, reads=True):
        """One that does not read lets ZeroMQ take in next to nothing for it."""
        self._context = zmq.Context()
        self._socket = self._context.socket(kind)
        self._socket.setsockopt(zmq.LINGER, 0)
        if not reads:
            self._socket.setsockopt(zmq.RCVHWM, 1)
            self._socket.setsockopt(zmq.RCVBUF, SMALL_BUFFER)
        if kind == zmq.DEALER:
            self._socket.setsockopt(zmq.SNDHWM, 0)
        self._socket.connect(endpoint)

    def send(self, command, *frames):
        """Objects are written as JSON; bytes go out as they are."""
        body = command if isinstance(command, bytes) else json.dumps(command).encode()
        self._socket.send_multipart([*frames, body])

    def receive_frames(self, seconds=PATIENCE):
        if not self._socket.poll(seconds * MILLISECONDS):
            raise NoAnswer(f"within {seconds} s")
        return self._socket.recv_multipart()

    def receive(self, seconds=PATIENCE):
        """The next answer's body."""
        return json.loads(self.receive_frames(seconds)[-1])

    def ask(self, command, seconds=PATIENCE):
        self.send(command)
        return self.receive(seconds)

    def confirm(self, command, seconds=PATIENCE):
        """The answer to a command that must not be refused."""
        answer = self.ask(command, seconds)
        assert answer["ok"], answer
        return answer

    def close(self):
        self._context.destroy(linger=0)


@contextlib.contextmanager
def control_peers():
    """Gives connect(relay, …), whose peers of its control socket are closed at the end."""
    peers = []

    def connect(relay, kind=zmq.REQ, **how):
        peers.append(ControlPeer(relay.ready["control"][0], kind, **how))
        return peers[-1]

    try:
        yield connect
    finally:
        for peer in peers:
            peer.close()

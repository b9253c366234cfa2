"""A backend: one PUSH socket with a context of its own."""

import json

import zmq

SEND_SECONDS = 10


class Pusher:
    def __init__(self, endpoint, seconds=SEND_SECONDS):
        """A send that does not get through for so long fails."""
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.setsockopt(zmq.SNDTIMEO, int(seconds * 1000))
        self._socket.connect(endpoint)

    def push(self, *commands):
        """Objects are written as JSON; text and bytes go out as they are."""
        for command in commands:
            self._socket.send(self._bytes(command))

    @staticmethod
    def _bytes(command):
        if isinstance(command, bytes):
            return command
        return (command if isinstance(command, str) else json.dumps(command)).encode()

    def push_parts(self, *parts):
        self._socket.send_multipart(list(parts))

    def set(self, key, value, **more):
        self.push({"op": "set", "key": key, "value": value, **more})

    def merge(self, key, value, **more):
        self.push({"op": "merge", "key": key, "value": value, **more})

    def delete(self, key, **more):
        self.push({"op": "delete", "key": key, **more})

    def broadcast(self, event_type, data=None, **more):
        self.push({"op": "broadcast", "type": event_type, "data": data, **more})

    def hand_over(self):
        """Closes; returns when the kernel holds everything that was pushed."""
        self._socket.close(linger=SEND_SECONDS * 1000)
        self._context.term()

    def close(self):
        self._context.destroy(linger=0)

"""A worker of the backend: takes what clients have said from the control socket, and notes what has come to it."""

import json

import zmq

from control_peer import ControlPeer

PATIENCE = 10  # seconds


class Worker:
    """Takes turns with the relay, as a worker does that has one socket. `taken` has all that has come to it. `patience`:
    seconds until NoAnswer, beyond the time that it asked the relay to wait."""

    def __init__(self, relay, patience=PATIENCE):
        self._patience = patience
        self._peer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
        self.taken = []

    def ask(self, command):
        self._peer.send(command)
        answer = self._peer.receive(self._patience)
        assert answer["ok"], answer
        return answer

    def begin_receiving(self, **how):
        """Asks and does not wait for the answer; hear() has it."""
        self._peer.send({"op": "receive", **how})

    def hear(self, wait=0):
        """The events of the next answer."""
        answer = self._peer.receive(wait + self._patience)
        assert answer["ok"], answer
        self.taken += answer["events"]
        return answer["events"]

    def receive(self, wait=5, **how):
        self.begin_receiving(wait=wait, **how)
        return self.hear(wait)

    def look(self):
        """What there is now."""
        return self.receive(wait=0)

    def done(self, events):
        return self.ask({"op": "done", "n": [event["n"] for event in events]})["done"]

    def extend(self, events, lease):
        return self.ask({"op": "extend", "n": [event["n"] for event in events], "lease": lease})["extended"]

    def release(self, events, **how):
        return self.ask({"op": "release", "n": [event["n"] for event in events], **how})["released"]

    def vanish(self):
        """As a process that is killed: whatever it has is left as it is."""
        self._peer.close()

    close = vanish


def texts(events):
    """What was said, of these events: the member `text` of each."""
    return [event["data"]["text"] for event in events]


def said(text, **more):
    return json.dumps({"type": "chat:say", "text": text, **more})

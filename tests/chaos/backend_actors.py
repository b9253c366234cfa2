"""What backends do that are broken, greedy, or not backends at all.

Their valid commands concern keys below "h:" and types other than `app:event`, so that they can be told from those of
the backend whose commands are accounted for.
"""

import json
import socket

import zmq

from actor import Actor
from control_peer import ControlPeer
from malformed import VALID, malformed_commands
from pusher import Pusher

KEYS = 12
FEW = 20  # queries a step
LARGE = 200_000
LARGE_BUDGET = 20  # large events an actor sends in its life: whoever follows the log keeps them all
HUGE = (2 * 2**20, 17 * 2**20, 65 * 2**20)  # the last is more than ZeroMQ reads at all
HUGE_BUDGET = 4
HOARD = 8 * 2**20
HOARD_KEYS = 3
HOARD_STEPS = 5
SEND_SECONDS = 0.3


def valid_command(draw, large=True):
    key = f"h:{draw.randrange(KEYS)}"
    filler = "x" * (LARGE if large and draw.random() < 0.1 else draw.randrange(400))
    made = draw.choice((
        {"op": "set", "key": key, "value": {"filler": filler}}, {"op": "merge", "key": key, "value": {"b": None}},
        {"op": "delete", "key": key}, {"op": "broadcast", "type": "chaos:event", "data": [filler]},
        {"op": "broadcast", "type": "chaos:both", "set": {key: filler}}))
    if made["op"] != "broadcast" or "set" in made:
        made["notify"] = draw.random() < 0.5
    return made | ({"id": f"h:{draw.randrange(30)}"} if draw.random() < 0.3 else {})


class _Backend(Actor):
    clients = 0

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._broken = malformed_commands(self.draw.randrange(10**6), 60)
        self._large_left, self._huge_left = LARGE_BUDGET, HUGE_BUDGET

    def body(self):
        if self.draw.random() < 0.4:
            return self.draw.choice(self._broken)
        made = json.dumps(valid_command(self.draw, large=self._large_left > 0)).encode()
        self._large_left -= len(made) >= LARGE
        return made


class Pushers(_Backend):
    """Everything that a PULL socket may be sent, on a socket that lasts or on a new one."""

    crowd = 3

    def step(self):
        if len(self.held) < self.crowd or self.draw.random() < 0.05:
            self.hold(Pusher(self.stage.commands, SEND_SECONDS))
        pusher = self.draw.choice(self.held)
        kind = self.draw.random()
        if kind < 0.05:
            pusher.push_parts(*([self.body()] * self.draw.choice((2, 3, 500))))
        elif kind < 0.08 and self._huge_left:
            self._huge_left -= 1
            pusher.push(b"[" * self.draw.choice(HUGE))
        else:
            pusher.push(*(self.body() for _ in range(self.draw.choice((1, 10, 50)))))


class Controls(_Backend):
    """The same on the control socket, with queries between; some never read an answer."""

    crowd = 4

    def step(self):
        if len(self.held) < self.crowd or self.draw.random() < 0.1:
            reads = self.draw.random() < 0.7
            self.hold(ControlPeer(self.stage.control, zmq.DEALER, reads=reads))
        peer = self.draw.choice(self.held)
        for _ in range(self.draw.choice((1, 5, FEW))):
            peer.send(self._request(), *self._frames())
        if self.draw.random() < 0.5:
            peer.receive_frames(0.02)

    def _request(self):
        query = self.draw.choice(({"op": "clients"}, {"op": "stats"}, {"op": "state"}, {"op": "state", "key": "radio"},
                                  {"op": "state", "key": 7}, {"op": "state", "more": 1}, {"op": "clients", "id": "x"}))
        return json.dumps(query).encode() if self.draw.random() < 0.3 else self.body()

    def _frames(self):
        return [self.draw.randbytes(self.draw.choice((0, 0, 4, 256, 257))) for _ in range(self.draw.choice(
            (0, 1, 1, 2, 8, 9, 40)))]


class PlainConnects(Actor):
    """Connections to the commands' socket by what does not speak ZeroMQ, or stops in its greeting."""

    crowd = 300
    clients = 0
    pause = 0.001

    def step(self):
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(0.2)
        self.hold(plain)
        plain.connect(self.draw.choice((self.stage.commands, self.stage.control)).removeprefix("ipc://"))
        greeting = b"\xff" + bytes(8) + b"\x7f\3\0NULL" + bytes(48)
        plain.send(self.draw.choice((b"\0", b"GET / HTTP/1.1\r\n\r\n", self.draw.randbytes(500), greeting,
                                     greeting[:self.draw.randrange(1, 64)], b"\xff" * 64,
                                     greeting + self.draw.randbytes(200))))


class Hoarders(Actor):
    """Makes the state large and changes it while clients that do not read still hold what it was. Without a word: told,
    it would be events that fill the window, and who comes back would rightly get a snapshot."""

    crowd = 6
    pause = 0.4

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._pusher = None

    def step(self):
        if self.steps > HOARD_STEPS:
            return
        self._pusher = self._pusher or Pusher(self.stage.commands, SEND_SECONDS)
        for number in range(HOARD_KEYS):
            self._pusher.set(f"h:hoard:{number}", self.draw.choice("abc") * HOARD, notify=False)
        self.open(receive_buffer=4096)

    def _let_go(self):
        super()._let_go()
        if self._pusher:
            for number in range(HOARD_KEYS):
                self._pusher.delete(f"h:hoard:{number}", notify=False)
            self._pusher.hand_over()

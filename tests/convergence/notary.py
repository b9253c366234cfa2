"""The backend that says what is to happen when members have left, and sometimes shows one the door:

    notary.py SEED NAME ENDPOINT[,ENDPOINT…] JOURNAL

Each will is said once, and may have been taken without an answer. The end of standard input
ends it, after a last will that speaks for who is going to leave all places.
"""

import itertools
import pathlib
import random
import select
import sys

from backend import Journal
from control_peer import ControlPeer, NoAnswer
from counting import is_unknown
from people import LEAVES_ALL, PLACES, TABS, Will

INTERVAL = 0.02
PATIENCE = 0.4
DISCONNECT = 0.02


class Notary:
    def __init__(self, seed, name, endpoint, journal):
        self._seed, self._endpoints, self._peer = seed, endpoint.split(","), None
        self._draw = random.Random(f"{seed}/{name}")
        self._journal = Journal(pathlib.Path(journal))

    def run(self):
        number = 0
        while not select.select([sys.stdin], [], [], INTERVAL)[0]:
            if self._draw.random() < DISCONNECT:
                self._ask({"op": "disconnect", "id": self._draw.choice(tuple(TABS))})
                continue
            self._say(number)
            number += 1
        for place in PLACES:
            self._say(next(n for n in itertools.count(number) if self._is_last_of(place, Will(self._seed, n))))

    @staticmethod
    def _is_last_of(place, will):
        return (will.channel, will.id, will.kind) == (place, LEAVES_ALL, "far")

    def _say(self, number):
        self._journal.write(will=number)
        answer = self._ask(Will(self._seed, number).request())
        if answer:
            self._journal.write(will=number, answer=answer)

    def _ask(self, request):
        """None: nobody knows what has become of it. Then the next one goes to another relay, where there are several."""
        self._peer = self._peer or ControlPeer(random.choice(self._endpoints))
        try:
            answer = self._peer.ask(request, PATIENCE)
        except NoAnswer:
            answer = None
        if answer and not is_unknown(answer):
            return answer
        self._peer.close()
        self._peer = None
        return None


if __name__ == "__main__":
    Notary(*sys.argv[1:]).run()

"""One backend as a process of its own, so that it can be killed:

    backend.py STYLE SEED NAME ENDPOINT[,ENDPOINT…] JOURNAL

Styles: `sequential` (confirmed, one command at a time, a new socket for each attempt), `pipelined` (confirmed, several
under way, everything on one socket) and `pushed` (PUSH, no answers). The journal is what a killed backend goes on
from: a confirmed one sends again what has no answer there, a pushing one what it has not begun to send. Of several
endpoints, those of relays of a cluster, each new socket takes one by chance, and a new one is taken where there was no
answer in time, or `cluster_unavailable`. The end of standard input says: make no new commands and finish. A pushing one
then repeats an `app:done` until it is killed: whoever sees it has seen all that went before on this socket.
"""

import itertools
import json
import pathlib
import random
import select
import sys
import time

import zmq

from commands import command, tag
from counting import Counting, is_final, is_unknown

INTERVAL = 1 / 120  # seconds between two commands
ATTEMPT = 0.4  # seconds to wait for an answer
IN_FLIGHT = 12
TWICE = 0.1  # how often a command is sent twice at once
DONE_INTERVAL = 0.1
DONE_TIMES = 600  # by then whoever started it is gone, too


class Journal:
    """One JSON object a line. What is written outlives a SIGKILL of the writer."""

    def __init__(self, path):
        text = path.read_text() if path.exists() else ""
        self._whole = text[:text.rfind("\n") + 1]
        path.write_text(self._whole)
        self._file = path.open("a", buffering=1)

    def lines(self):
        return [json.loads(line) for line in self._whole.splitlines()]

    def write(self, **members):
        self._file.write(json.dumps(members) + "\n")


class Backend:
    def __init__(self, style, seed, name, endpoint, journal):
        self.style, self.seed, self.name, self.endpoints = style, seed, name, endpoint.split(",")
        self.journal = Journal(pathlib.Path(journal))
        self.context = zmq.Context()
        self.counting = Counting()

    @property
    def finishing(self):
        return bool(select.select([sys.stdin], [], [], 0)[0])

    def made(self, number):
        return self.counting.filled(command(self.seed, self.name, number, self.style))

    def answered(self):
        """The numbers that need no more, as the journal knows."""
        return {line["n"] for line in self.journal.lines() if is_final(self.made(line["n"]), line["answer"])}

    def dealer(self):
        socket = self.context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(random.choice(self.endpoints))
        return socket

    def send(self, socket, number):
        """Returns what it was; an increment depends on what is known by now."""
        made = self.made(number)
        for _ in range(2 if random.random() < TWICE else 1):
            socket.send_multipart([b"%d" % number, json.dumps(made).encode()])
        return made

    def answers(self, socket, seconds):
        """Writes down the answers that come within this time, until there are none; returns (number, answer) of each."""
        got = []
        while socket.poll(0 if got else seconds * 1000):
            frame, answer = socket.recv_multipart()
            got.append((int(frame), json.loads(answer)))
            self.journal.write(n=got[-1][0], answer=got[-1][1])
        return got

    def confirm_in_sequence(self):
        number = max(self.answered(), default=-1) + 1
        socket = self.dealer()
        while not self.finishing:
            while not self.is_answered(socket, number):
                socket.close()
                socket = self.dealer()
            number += 1
            self.answers(socket, INTERVAL)

    def is_answered(self, socket, number):
        """Whether one attempt brought the last word; an increment that came too late goes out anew at once."""
        sent = self.send(socket, number)
        end = time.monotonic() + ATTEMPT
        while (left := end - time.monotonic()) > 0:
            for answered, answer in self.answers(socket, left):
                if answered == number and is_unknown(answer):
                    return False
                if answered == number and not self.counting.learn(sent, answer):
                    return True
                if answered == number:
                    sent = self.send(socket, number)
        return False

    def confirm_in_a_pipeline(self):
        answered = self.answered()
        fresh = itertools.count(max(answered, default=-1) + 1)
        socket = self.dealer()
        waiting = {n: 0.0 for n in range(max(answered, default=-1) + 1) if n not in answered}
        next_fresh = 0.0
        while waiting or not self.finishing:
            if len(waiting) < IN_FLIGHT and next_fresh <= time.monotonic() and not self.finishing:
                waiting[next(fresh)] = 0.0
                next_fresh = time.monotonic() + INTERVAL
            if len(self.endpoints) > 1 and any(0 < again <= time.monotonic() for again in waiting.values()):
                socket.close()
                socket = self.dealer()
                waiting = dict.fromkeys(waiting, 0.0)
            for number, again in waiting.items():
                if again <= time.monotonic():
                    self.send(socket, number)
                    waiting[number] = time.monotonic() + ATTEMPT
            for number, answer in self.answers(socket, INTERVAL):
                if not is_unknown(answer):
                    waiting.pop(number, None)

    def push(self):
        socket = self.context.socket(zmq.PUSH)
        socket.connect(self.endpoints[0])
        last = max(((line["n"], line["life"]) for line in self.journal.lines()), default=(-1, -1))
        for number in itertools.count(last[0] + 1):
            if self.finishing:
                break
            self.journal.write(n=number, life=last[1] + 1)
            socket.send(json.dumps(self.made(number)).encode())
            time.sleep(INTERVAL)
        for _ in range(DONE_TIMES):
            socket.send_json({"op": "broadcast", "type": "app:done", "data": {"by": tag(self.name, "done")}})
            time.sleep(DONE_INTERVAL)


def main(style, *arguments):
    backend = Backend(style, *arguments)
    {"sequential": backend.confirm_in_sequence, "pipelined": backend.confirm_in_a_pipeline,
     "pushed": backend.push}[style]()


if __name__ == "__main__":
    main(*sys.argv[1:])

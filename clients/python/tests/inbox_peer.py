"""A relay's sockets with the rules of the fake one behind them, whose questions for messages stay open. In a thread."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, Callable

import zmq
from pull_peer import wait_until

from syncrelay.memory_inbox import said
from syncrelay.memory_relay import MemoryRelay


class InboxPeer:
    """``requests`` are those of the control socket. What it hands out is its worker's until done or released: leases are
    recorded only."""

    def __init__(self, directory: Any) -> None:
        self.endpoint = f"ipc://{directory}/commands.sock"
        self.control = f"ipc://{directory}/control.sock"
        self.relay = MemoryRelay(())
        self.requests: list[dict[str, Any]] = []
        self.refusals: dict[str, list[str]] = {}  # by op; the codes of the next answers
        self.silent = False  # the commands that were pushed are not read
        self._barriers: set[str] = set()
        self._open: list[tuple[list[bytes], dict[str, Any], float]] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> InboxPeer:
        self._stop.clear()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def restart(self) -> None:
        """As a relay with ``--data`` that was killed: it knows of no leases."""
        self.stop()
        inbox = self.relay.inbox
        inbox.release(list(inbox._held), untried=False)
        for event in inbox._waiting.values():
            event["attempt"] = 0
        self.start()

    def say(self, type: str, data: object = None, id: str | None = None, connection: int = 1, channel: str = "") -> None:
        self.play(lambda relay: relay.say(said(type, data, id, connection, channel, {})))

    def play(self, part: Callable[[MemoryRelay], object]) -> None:
        """What clients do."""
        with self._lock:
            part(self.relay)

    def unhandled(self) -> list[tuple[Any, int]]:
        """Data and attempts of what is not done."""
        with self._lock:
            return [(event["data"].get("data"), event["attempt"]) for event in self.relay.inbox.events]

    def free(self) -> list[Any]:
        """What nobody holds."""
        with self._lock:
            return [event["data"].get("data") for event in self.relay.inbox._waiting.values()]

    def wait_until_handled(self) -> None:
        wait_until(lambda: not self.unhandled(), "all messages are done")

    def ops(self, op: str) -> list[dict[str, Any]]:
        return [request for request in list(self.requests) if request["op"] == op]

    def events(self) -> list[Any]:
        with self._lock:
            return [event["data"] for event in self.relay.events]

    def _run(self, ready: threading.Event) -> None:
        context = zmq.Context()
        pull, router = context.socket(zmq.PULL), context.socket(zmq.ROUTER)
        try:
            pull.bind(self.endpoint)
            router.bind(self.control)
            ready.set()
            while not self._stop.is_set():
                self._serve(pull, router)
        finally:
            self._open.clear()
            pull.close(linger=0)
            router.close(linger=0)
            context.term()

    def _serve(self, pull: zmq.Socket[bytes], router: zmq.Socket[bytes]) -> None:
        poller = zmq.Poller()
        poller.register(router, zmq.POLLIN)
        if not self.silent:
            poller.register(pull, zmq.POLLIN)
        ready = dict(poller.poll(5))
        with self._lock:
            if pull in ready:
                self._answer(json.loads(pull.recv()))
            if router in ready:
                *envelope, body = router.recv_multipart()
                self._take(envelope, json.loads(body), lambda answer: router.send_multipart([*envelope, answer]))
            self._hand_out(router)

    def _take(self, envelope: list[bytes], request: dict[str, Any], reply: Callable[[bytes], None]) -> None:
        self.requests.append(dict(request))
        codes = self.refusals.get(request["op"])
        if codes:
            error = {"code": codes.pop(0), "message": "by the test", "offset": 0}
            reply(json.dumps({"ok": False, "error": error}).encode())
        elif request["op"] == "receive":
            self._open.append((envelope, request, time.monotonic() + request["wait"]))
        else:
            reply(json.dumps(self._answer(request)).encode())

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] != "barrier":
            return self.relay.answer(request)
        known = request["id"] in self._barriers
        self._barriers.add(request["id"])
        return {"ok": True, "seq": 0, "epoch": "e", "clients": 0, **({"duplicate": True} if known else {})}

    def _hand_out(self, router: zmq.Socket[bytes]) -> None:
        still_open = []
        for envelope, request, end in self._open:
            answer = self.relay.answer(request)
            if answer["events"] or time.monotonic() >= end:
                router.send_multipart([*envelope, json.dumps(answer).encode()])
            else:
                still_open.append((envelope, request, end))
        self._open = still_open

    def __enter__(self) -> InboxPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import zmq
from pull_peer import DEADLINE, wait_until
from router_peer import RouterPeer

from syncrelay.control_line import ControlLine


def heard(line: ControlLine, what: str) -> None:
    def look() -> bool:
        line.hear()
        return bool(getattr(line, what))

    wait_until(look, f"the line is {what}")


@pytest.mark.parametrize("unread", [0, 50])
def test_a_line_that_lost_its_peer_can_be_closed_whatever_it_had_under_way(control: RouterPeer, unread: int) -> None:
    control.start(read_ahead=1)
    context = zmq.Context()
    line = ControlLine(context, control.endpoint)
    heard(line, "connected")
    for number in range(unread):  # more than the kernel and the peer take
        line.send(number, b"x" * 300_000)
    control.stop()
    heard(line, "ended")
    line.send(99, b"sent before the owner looked")
    line.close()
    term = threading.Thread(target=context.term, daemon=True)
    term.start()
    term.join(DEADLINE)
    assert not term.is_alive()


def test_a_line_to_nobody_has_ended(directory: Path) -> None:
    with zmq.Context() as context:
        line = ControlLine(context, f"ipc://{directory}/nobody")
        heard(line, "ended")
        line.close()


def test_an_ended_line_never_reaches_the_next_peer(control: RouterPeer) -> None:
    control.start()
    with zmq.Context() as context:
        line = ControlLine(context, control.endpoint)
        heard(line, "connected")
        control.stop()
        heard(line, "ended")
        control.start()
        line.send(1, b"{}")
        assert control.is_silent(1.0)
        line.close()

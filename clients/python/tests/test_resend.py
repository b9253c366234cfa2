"""What goes over the control socket, seen from the other end."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pull_peer import DEADLINE, PullPeer, wait_until
from router_peer import RouterPeer

from syncrelay import AnswerTimeout, CommandRejected, ConfirmTimeout, Position, Relay, RelayUnavailable
from syncrelay.request import MAX_REQUESTS


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(8)


def test_an_unanswered_command_is_sent_again_with_its_id_over_the_next_connection(
    endpoint: str, control: RouterPeer, pool: ThreadPoolExecutor
) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        call = pool.submit(lambda: relay.broadcast("t", 1, confirm=True, timeout=DEADLINE))
        _, first = control.receive()
        for _ in range(3):
            control.stop()
            control.start()
            envelope, again = control.receive()
            assert again == first
        assert (first["op"], len(first["id"])) == ("broadcast", 22)
        control.answer(envelope, seq=42, duplicate=True)
        assert call.result(DEADLINE) == Position("e", 42)
        assert call.result().duplicate


def test_what_is_sent_again_keeps_its_order(endpoint: str, control: RouterPeer, pool: ThreadPoolExecutor) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        calls = []
        for number in range(5):
            calls.append(pool.submit(relay.broadcast, "t", number, confirm=True, timeout=DEADLINE))
            assert control.receive()[1]["data"] == number
        control.stop()
        control.start()
        for number in range(5):
            envelope, request = control.receive()
            assert request["data"] == number
            control.answer(envelope, seq=number)
        assert [call.result(DEADLINE).seq for call in calls] == list(range(5))


def refuse_for_now(control: RouterPeer, envelope: list[bytes]) -> None:
    control.answer(envelope, ok=False, error={"code": "cluster_unavailable", "message": "no Redis", "offset": 0})


def test_what_the_cluster_could_not_take_is_sent_again_in_order_with_the_same_ids(
    endpoint: str, control: RouterPeer, pool: ThreadPoolExecutor
) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        calls, requests = [], []
        for number in range(3):
            calls.append(pool.submit(relay.broadcast, "t", number, confirm=True, timeout=DEADLINE))
            requests.append(control.receive())
        for envelope, _ in requests:
            refuse_for_now(control, envelope)
        for number in range(3):
            envelope, again = control.receive()
            assert again == requests[number][1]
            control.answer(envelope, seq=number, duplicate=True)
        assert [call.result(DEADLINE).seq for call in calls] == list(range(3))


def test_what_the_cluster_could_not_take_is_given_up_in_time_and_may_have_taken_effect(
    endpoint: str, control: RouterPeer, pool: ThreadPoolExecutor
) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        call = pool.submit(lambda: relay.broadcast("t", id="once", confirm=True, timeout=0.5))
        refuse_for_now(control, control.receive()[0])
        with pytest.raises(ConfirmTimeout, match="cluster_unavailable.*may or may not have taken effect.*id='once'"):
            call.result(DEADLINE)


def test_a_barrier_that_the_cluster_could_not_take_is_raised_again(
    fake: PullPeer, control: RouterPeer, pool: ThreadPoolExecutor
) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, close_timeout=0) as relay:
        relay.broadcast("t")
        call = pool.submit(lambda: relay.broadcast("t", "confirmed", confirm=True, timeout=DEADLINE))
        refuse_for_now(control, control.receive()[0])
        envelope, barrier = control.receive()
        assert barrier["op"] == "barrier"
        control.answer(envelope, duplicate=True)
        envelope, request = control.receive()
        assert request["data"] == "confirmed"
        control.answer(envelope, seq=7)
        assert call.result(DEADLINE).seq == 7


def test_ids_differ(endpoint: str, control: RouterPeer, pool: ThreadPoolExecutor) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        ids = set()
        for _ in range(100):
            call = pool.submit(lambda: relay.broadcast("t", confirm=True, timeout=DEADLINE))
            envelope, request = control.receive()
            ids.add(request["id"])
            control.answer(envelope)
            call.result(DEADLINE)
        assert len(ids) == 100


def test_a_late_answer_to_one_who_gave_up_goes_to_nobody(
    endpoint: str, control: RouterPeer, pool: ThreadPoolExecutor
) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        with pytest.raises(AnswerTimeout):
            relay.state(timeout=0.2)
        late, _ = control.receive()
        call = pool.submit(lambda: relay.state(timeout=DEADLINE))
        envelope, _ = control.receive()
        control.answer(late, state={"late": True})
        control.answer(envelope, state={"late": False})
        assert call.result(DEADLINE) == {"late": False}


def test_answers_may_come_in_any_order(endpoint: str, control: RouterPeer, pool: ThreadPoolExecutor) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        state = pool.submit(lambda: relay.state("k", timeout=DEADLINE))
        for_state, query = control.receive()
        assert query == {"op": "state", "key": "k"}
        clients = pool.submit(lambda: relay.clients(timeout=DEADLINE))
        for_clients, _ = control.receive()
        control.answer(for_clients, clients=[])
        control.answer(for_state, state={"k": 1})
        assert (clients.result(DEADLINE), state.result(DEADLINE)) == ([], 1)


def test_how_many_may_wait_is_bounded(endpoint: str) -> None:
    with Relay(endpoint, close_timeout=0) as relay:
        sender = relay._sender
        for _ in range(MAX_REQUESTS):
            sender.request(b"{}")
        with pytest.raises(RelayUnavailable, match="1000 requests"):
            relay.state()


def test_how_many_bytes_may_wait_is_bounded(endpoint: str) -> None:
    with Relay(endpoint, max_queue_bytes=10_000, close_timeout=0) as relay:
        relay._sender.request(b"x" * 9000)
        with pytest.raises(RelayUnavailable, match="9000 bytes"):
            relay.set("k", "x" * 2000, confirm=True)


def test_no_more_than_the_window_is_under_way(endpoint: str, control: RouterPeer) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        requests = [relay._sender.request(b'{"n":%d}' % number) for number in range(300)]
        envelopes = [control.receive()[0] for _ in range(256)]
        assert control.is_silent(0.3)
        control.answer(envelopes[0])
        assert control.receive()[1] == {"n": 256}
        assert requests[0].answer.result(DEADLINE)


def test_a_request_waits_for_proof_that_pushed_commands_arrived(
    fake: PullPeer, control: RouterPeer, pool: ThreadPoolExecutor
) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, close_timeout=0) as relay:
        relay.broadcast("t", "pushed")
        call = pool.submit(lambda: relay.broadcast("t", "confirmed", confirm=True, timeout=DEADLINE))
        overtook = control.receive()
        control.answer(overtook[0])  # no duplicate: the pushed one is not there yet
        envelope, barrier = control.receive()
        assert barrier == {"op": "barrier", "id": barrier["id"]}
        assert barrier != overtook[1]
        assert [fake.receive()[0] for _ in range(3)] == [
            {"op": "broadcast", "type": "t", "data": "pushed"}, overtook[1], barrier,
        ]  # fmt: skip
        control.answer(envelope, duplicate=True)
        envelope, request = control.receive()
        assert request["data"] == "confirmed"
        control.answer(envelope)
        call.result(DEADLINE)
        again = pool.submit(lambda: relay.state(timeout=DEADLINE))  # nothing was pushed since
        envelope, request = control.receive()
        assert request == {"op": "state"}
        control.answer(envelope, state={})
        again.result(DEADLINE)


def test_with_the_push_socket_away_a_later_request_is_not_sent(endpoint: str, control: RouterPeer) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        relay.broadcast("t")
        with pytest.raises(AnswerTimeout, match="not yet taken the commands before"):
            relay.state(timeout=0.5)
        assert control.is_silent(0)


@pytest.mark.parametrize(
    ("code", "message"),
    [("storage_full", "no space"), ("unknown_op", 'op "barrier" is unknown (set, merge, delete, broadcast)')],
    ids=["without room", "before 0.2.0"],
)
def test_a_relay_that_refuses_the_barrier_refuses_what_waits_for_it(
    fake: PullPeer, control: RouterPeer, pool: ThreadPoolExecutor, code: str, message: str
) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, close_timeout=0) as relay:
        relay.broadcast("t")
        call = pool.submit(lambda: relay.broadcast("t", confirm=True, timeout=DEADLINE))
        envelope, _ = control.receive()
        control.answer(envelope, ok=False, error={"code": code, "message": message, "offset": 0})
        with pytest.raises(CommandRejected, match=re.escape(f"{code}: {message}")):
            call.result(DEADLINE)


def test_connects_only_when_there_is_something_to_ask(endpoint: str, control: RouterPeer) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        relay.broadcast("t")
        io = relay._sender._io
        assert not io.answers
        request = relay._sender.request(b"{}")
        wait_until(lambda: io.answers, "it connects")
        request.answer.cancel()
        control.stop()
        wait_until(lambda: not io.answers, "it noticed")


def test_threads_do_not_get_each_others_answers(endpoint: str, control: RouterPeer, pool: ThreadPoolExecutor) -> None:
    control.start()
    stop = threading.Event()

    def serve() -> None:
        for _ in range(400):
            envelope, request = control.receive()
            control.answer(envelope, state={request["key"]: request["key"]})
        stop.set()

    server = threading.Thread(target=serve)
    server.start()
    with Relay(endpoint, close_timeout=0) as relay:

        def ask(name: str) -> bool:
            return all(relay.state(f"{name}{n}", timeout=DEADLINE) == f"{name}{n}" for n in range(50))

        assert all(pool.map(ask, "abcdefgh"))
    server.join(DEADLINE)
    assert stop.is_set()


def test_those_who_gave_up_leave_no_trace_behind_one_who_waits(endpoint: str) -> None:
    with Relay(endpoint, max_queue_bytes=10_000, close_timeout=0) as relay:
        patient = relay._sender.request(b"{}")
        for _ in range(20):
            relay._sender.request(b"x" * 9000).answer.cancel()
        requests = relay._sender._requests
        assert (requests.all(), len(requests._unsent), requests._bytes) == ([patient], 1, 2)


def test_a_relay_that_does_not_answer_gets_a_bounded_number_of_bytes(endpoint: str, control: RouterPeer) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        body = b"x" * (16 * 1024 * 1024)
        envelopes = []
        for _ in range(4):
            request = relay._sender.request(body)
            envelopes.append(control.receive_bytes()[0])
            request.answer.cancel()
        last = relay._sender.request(b"{}")
        assert control.is_silent(0.3)
        control.answer(envelopes[0])
        control.answer(control.receive_bytes()[0])
        assert last.answer.result(DEADLINE)

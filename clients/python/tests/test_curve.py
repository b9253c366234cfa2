"""A relay that asks for keys: with Curve everything works as on a unix socket, and without the right keys it says why."""

from __future__ import annotations

import logging
import os
import subprocess
import time
import traceback
from pathlib import Path
from typing import Callable, Iterator

import pytest
import zmq
from real_relay import BINARY, RealRelay

from syncrelay import AnswerTimeout, AsyncRelay, ConfirmTimeout, Curve, InvalidKey, Relay
from syncrelay.curve import default_curve
from syncrelay.testing import FakeRelay

TCP = ("--commands", "tcp://127.0.0.1:*", "--control", "tcp://127.0.0.1:*")


def make_key(directory: Path, name: str) -> Path:
    subprocess.run([BINARY, "keygen", directory / name], check=True, stdout=subprocess.DEVNULL)
    return directory / name


def public(key: Path) -> Path:
    return key.with_name(key.name + ".pub")


class Keys:
    """Of the relay, of a backend that it lists, and of one that it does not."""

    def __init__(self, directory: Path) -> None:
        self.relay, self.backend, self.stranger = (make_key(directory, name) for name in ("relay", "backend", "stranger"))
        self.clients = directory / "clients"
        self.clients.write_text("# who may push\n" + public(self.backend).read_text())

    def curve(self, key: Path | None = None, server: Path | None = None) -> Curve:
        return Curve(server_key=public(server or self.relay), key=key or self.backend)

    def allow(self, *keys: Path) -> None:
        """In one step, as it should be done."""
        written = self.clients.with_name("clients.new")
        written.write_text("".join(public(key).read_text() for key in keys))
        written.replace(self.clients)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def secured(keys: Keys, tmp_path: Path) -> Iterator[RealRelay]:
    keys.allow(keys.backend)
    relay = RealRelay(tmp_path, *TCP, "--curve-key", str(keys.relay), "--curve-clients", str(keys.clients))
    yield relay.start()
    relay.stop()


@pytest.fixture
def connect(secured: RealRelay) -> Iterator[Callable[..., Relay]]:
    made: list[Relay] = []

    def make(curve: Curve | None) -> Relay:
        made.append(Relay(secured.endpoint, control=secured.control, curve=curve, close_timeout=0))
        return made[-1]

    yield make
    for relay in made:
        relay.close()


def test_commands_answers_and_messages_go_through(keys: Keys, connect: Callable[..., Relay]) -> None:
    relay = connect(keys.curve())
    for number in range(500):
        relay.set("radio", number)
    relay.flush(confirm=True)
    assert relay.state()["radio"] == 499
    position = relay.broadcast("big", "x" * 1_000_000, confirm=True)
    assert position is not None and position.seq == 501
    with relay.batch(confirm=True) as batch:
        batch.set("radio", None)
        batch.broadcast("closed")
    assert list(relay.messages(until_empty=True)) == []


async def test_coroutines_take_the_same_keys(keys: Keys, secured: RealRelay) -> None:
    async with AsyncRelay(secured.endpoint, control=secured.control, curve=keys.curve()) as relay:
        await relay.set("radio", 1, confirm=True)
        assert (await relay.state())["radio"] == 1


def test_the_environment_names_the_files(
    keys: Keys, secured: RealRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCRELAY_CURVE_SERVER_KEY", str(public(keys.relay)))
    monkeypatch.setenv("SYNCRELAY_CURVE_KEY", str(keys.backend))
    monkeypatch.setenv("SYNCRELAY_COMMANDS", secured.endpoint)
    monkeypatch.setenv("SYNCRELAY_CONTROL", secured.control)
    with Relay() as relay:
        relay.set("radio", 2, confirm=True)


@pytest.mark.parametrize(
    "key,server,why",
    [
        ("stranger", "relay", "does not let this key in: its --curve-clients has to list {stranger}"),
        ("backend", "stranger", "server_key of curve= is not this relay's"),
        (None, None, "it may ask for a key"),
    ],
    ids=["not listed", "of another relay", "none"],
)
def test_the_wrong_keys_are_told_within_the_timeout(
    keys: Keys, connect: Callable[..., Relay], key: str | None, server: str | None, why: str
) -> None:
    curve = keys.curve(getattr(keys, key), getattr(keys, server)) if key and server else None
    relay = connect(curve)
    begin = time.monotonic()
    with pytest.raises(ConfirmTimeout) as told:
        relay.set("radio", 1, confirm=True, timeout=1.5)
    assert time.monotonic() - begin < 5
    assert why.format(stranger=public(keys.stranger).read_text().splitlines()[-1]) in str(told.value)
    assert not told.value.sent
    with pytest.raises(AnswerTimeout):
        relay.stats(timeout=0.5)


def test_a_push_with_a_key_that_is_not_listed_is_told_in_the_log_once(
    keys: Keys, connect: Callable[..., Relay], caplog: pytest.LogCaptureFixture
) -> None:
    relay = connect(keys.curve(keys.stranger))
    relay.set("radio", 1)
    end = time.monotonic() + 10
    while "does not let this key in" not in caplog.text and time.monotonic() < end:
        with pytest.raises(AnswerTimeout):
            relay.stats(timeout=0.2)
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1 and "--curve-clients" in told[0].getMessage()


def test_a_key_that_is_added_lets_in_and_one_that_is_taken_out_is_shut_out(
    keys: Keys, secured: RealRelay, connect: Callable[..., Relay]
) -> None:
    newcomer, known = connect(keys.curve(keys.stranger)), connect(keys.curve())
    known.set("radio", 1, confirm=True)
    keys.allow(keys.backend, keys.stranger)
    newcomer.set("radio", 2, confirm=True, timeout=10)
    keys.allow(keys.stranger)
    end = time.monotonic() + 10
    with pytest.raises(AnswerTimeout, match="does not let this key in"):
        while time.monotonic() < end:
            known.stats(timeout=1)
    newcomer.set("radio", 3, confirm=True, timeout=10)
    assert newcomer.state()["radio"] == 3


def test_nothing_that_was_pushed_is_lost_when_another_key_is_taken_out(
    keys: Keys, secured: RealRelay, connect: Callable[..., Relay]
) -> None:
    keys.allow(keys.backend, keys.stranger)
    relay = connect(keys.curve())
    for number in range(20):
        for _ in range(200):
            relay.broadcast("tick", number)
        if number == 10:
            keys.allow(keys.backend)
    end = time.monotonic() + 20
    while relay.stats(timeout=10)["seq"] < 4000 and time.monotonic() < end:
        relay.flush(confirm=False)
    assert relay.stats()["seq"] == 4000


def test_what_is_no_key_is_refused_at_once(keys: Keys, tmp_path: Path) -> None:
    good, bad = public(keys.relay), tmp_path / "bad"
    for text in (b"", b"x" * 39, b'"' * 40, b"#" * 40, good.read_bytes().splitlines()[-1] * 2):
        bad.write_bytes(text)
        for files in ({"server_key": bad, "key": keys.backend}, {"server_key": good, "key": bad}):
            with pytest.raises(InvalidKey, match="holds no key"):
                Curve(**files)
    with pytest.raises(InvalidKey, match="cannot be read: No such file"):
        Curve(server_key=good, key=tmp_path / "missing")
    with pytest.raises(InvalidKey, match="needs SYNCRELAY_CURVE_KEY"):
        default_curve({"SYNCRELAY_CURVE_SERVER_KEY": str(good)})
    assert default_curve({"SYNCRELAY_CURVE_KEY": str(keys.relay)}) is None  # of a relay beside this backend


def test_a_key_of_the_other_kind_is_refused(keys: Keys, tmp_path: Path) -> None:
    good = public(keys.relay)
    with pytest.raises(InvalidKey, match="is a public key by its name"):
        Curve(server_key=good, key=public(keys.backend))
    renamed = tmp_path / "key"
    renamed.write_bytes(public(keys.backend).read_bytes())
    with pytest.raises(InvalidKey, match="holds a public key, and key= is the other one"):
        Curve(server_key=good, key=renamed)
    with pytest.raises(InvalidKey, match="holds a secret key, and server_key= is the other one"):
        Curve(server_key=keys.relay, key=keys.backend)
    renamed.write_bytes(good.read_bytes().splitlines()[-1])
    renamed.with_name("key.pub").write_bytes(good.read_bytes())
    with pytest.raises(InvalidKey, match="holds another key than the secret one of"):
        Curve(server_key=good, key=renamed)


def test_a_secret_in_the_place_of_a_file_is_not_shown(keys: Keys) -> None:
    secret = keys.backend.read_text().splitlines()[-1]
    with pytest.raises(InvalidKey, match="name of a file") as told:
        Curve(server_key=public(keys.relay), key=secret)
    shown = "".join(traceback.format_exception(told.value))
    assert secret not in "\n".join(line for line in shown.splitlines() if "Curve(" not in line)
    with pytest.raises(InvalidKey, match="name of a file") as told:
        default_curve({"SYNCRELAY_CURVE_SERVER_KEY": str(public(keys.relay)), "SYNCRELAY_CURVE_KEY": secret})
    assert secret not in "".join(traceback.format_exception(told.value))


def test_keys_are_those_of_zeromq_and_are_not_shown(keys: Keys, tmp_path: Path) -> None:
    public_key, secret_key = zmq.curve_keypair()
    (tmp_path / "secret").write_bytes(secret_key)
    curve = Curve(server_key=public(keys.relay), key=tmp_path / "secret")
    assert curve.public_key == public_key.decode()
    assert secret_key.decode() not in repr(curve) and curve.public_key in repr(curve)
    assert zmq.curve_public(keys.backend.read_bytes().splitlines()[-1]) == public(keys.backend).read_bytes().splitlines()[-1]
    assert os.stat(keys.backend).st_mode & 0o777 == 0o600


def test_a_fake_relay_takes_them_too(keys: Keys) -> None:
    FakeRelay("tcp://127.0.0.1:1", curve=keys.curve()).set("radio", 1)


def test_pushes_that_waited_go_out_once_their_key_is_listed(
    keys: Keys, secured: RealRelay, connect: Callable[..., Relay]
) -> None:
    """ZeroMQ itself never tries again after a refusal."""
    waiting, known = connect(keys.curve(keys.stranger)), connect(keys.curve())
    waiting.set("radio", 7)
    with pytest.raises(AnswerTimeout):
        waiting.stats(timeout=0.5)
    keys.allow(keys.backend, keys.stranger)
    end = time.monotonic() + 15
    while known.state()["radio"] != 7:
        assert time.monotonic() < end

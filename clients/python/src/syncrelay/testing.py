"""For your own tests: a real relay, and a relay without a relay.

    from syncrelay import Relay
    from syncrelay.testing import relay

    with relay() as running:                   # a process of its own, on free ports
        with Relay(running.endpoint) as backend:
            backend.broadcast("comparison:advanced", {"winner": 1}, confirm=True)

    from syncrelay import AsyncRelay
    from syncrelay.testing import FakeRelay

    relay = FakeRelay()                        # wherever a Relay is expected
    record_verdict(relay, winner=1)
    assert relay.commands == [{"op": "broadcast", "type": "comparison:advanced", "data": {"winner": 1}}]

    relay = AsyncRelay(relay=FakeRelay())      # wherever an AsyncRelay is expected
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping

from .answer import Client
from .channel import Channel
from .curve import Curve
from .encoding import DEFAULT_MAX_COMMAND, CommandEncoder
from .epoch import OnNewEpoch
from .errors import InvalidValue
from .fake_sender import FakeSender
from .members import checked_channel, checked_connection, checked_identity
from .memory_inbox import said
from .memory_relay import MemoryRelay
from .options import Options
from .outbox import WhenFull
from .plain import Default
from .relay import Relay
from .relay_process import Option, RelayProcess, arguments

REJECTION_CODES = frozenset(
    "invalid_json not_a_number invalid_utf8 lone_surrogate trailing_bytes too_large too_deep not_an_object "
    "missing_member unknown_member duplicate_member wrong_type unknown_op invalid_key invalid_type reserved_type "
    "invalid_id multipart state_full storage_full storage_failed busy no_storage storage_uncertain invalid_channel channels_full "
    "conflict invalid_version invalid_ttl invalid_batch invalid_limit no_such_member invalid_code invalid_reason "
    "invalid_number invalid_time invalid_member invalid_traceparent unknown_client cluster_unavailable".split()
)


@contextmanager
def relay(*, start_timeout: float = 30.0, **options: Option) -> Iterator[RelayProcess]:
    """A real relay for the block, on free ports of this machine's own address and in a folder of its own. It is told
    ``options`` as by ``syncrelay.run``, and nothing by the environment. It ends with the block, and if this process is killed,
    within about a second.

        @pytest.fixture
        def relay():
            with syncrelay.testing.relay(open_channels=["room:*"]) as relay:
                yield relay
    """
    folder = Path(tempfile.mkdtemp(prefix="syncrelay-", dir=_short_folder()))
    mine: dict[str, Option] = {
        "host": "127.0.0.1", "port": 0, "runtime_dir": folder, "shards": 1, "drain_timeout": "200ms",
    }  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNCRELAY_")}
    try:
        with RelayProcess(arguments({**mine, **options}), environment, folder / "relay.log", start_timeout) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _short_folder() -> str:
    """For sockets, whose paths end at 107 bytes."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) < 60 else "/tmp"


class FakeRelay(Relay):
    """Takes commands, keeps state and answers by the relay's rules; starts no thread and opens no socket. Thread-safe.

    Values are checked as a Relay does it, and are compared as clients would see them: as JSON, tuples being lists.
    """

    def __init__(
        self,
        endpoint: str | os.PathLike[str] | None = None,
        *,
        control: str | os.PathLike[str] | None = None,
        curve: Curve | None = None,
        when_full: WhenFull = "raise",
        max_queue_commands: int = 100_000,
        max_queue_bytes: int = 64 * 1024 * 1024,
        max_command: int = DEFAULT_MAX_COMMAND,
        close_timeout: float = 2.0,
        default: Default | None = None,
        on_new_epoch: OnNewEpoch = None,
        state_keys: Iterable[str] = ("comparison", "radio"),
    ) -> None:
        """Takes what a Relay takes and checks it alike, so that it can be made in the place of one; the addresses lead
        nowhere. ``state_keys``: those that the relay is configured with."""
        options = Options(endpoint, control, curve, when_full, max_queue_commands, max_queue_bytes, max_command, on_new_epoch)
        self._on_new_epoch = on_new_epoch
        addresses = ("fake", "fake") if endpoint is None else (options.endpoint, options.control or "fake")
        self._fake = FakeSender(MemoryRelay(state_keys), when_full, max_queue_commands, max_queue_bytes, addresses)
        self._use(CommandEncoder(options.max_command, default), self._fake)

    def channel(self, name: str) -> FakeChannel:
        return FakeChannel(self, name)

    @property
    def commands(self) -> list[dict[str, Any]]:
        """All that took effect, to any channel, oldest first, without their ids; confirmed or not. A batch is one."""
        return self._fake.copied(lambda relay: relay.commands)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What connected clients were sent, oldest first: ``type``, ``data``, ``ts``, ``seq``, perhaps ``set``. Those of the
        default channel; ``fake.channel(name).events`` are those of another, which have ``channel``, too."""
        return self._fake.copied(lambda relay: relay.events_of(""))

    @property
    def all_events(self) -> list[dict[str, Any]]:
        """Of all channels, in the order in which a client that follows several gets them."""
        return self._fake.copied(lambda relay: relay.events)

    @property
    def stored(self) -> dict[str, Any]:
        """The state by key; unlike ``state()`` also while unreachable or closed. ``fake.channel(name)`` has its own."""
        return self._fake.copied(lambda relay: relay.state_of(""))

    def connect(self, *clients: Client) -> None:
        """Who follows the default channel from now on, and is listed by ``clients()``. ``fake.channel(name)`` has its own."""
        self._fake.play(lambda relay: relay.follow("", clients))

    def advance(self, seconds: float) -> None:
        """Moves the relay's clock, which stands still otherwise: keys whose ``ttl`` is over go, and clients are told."""
        if not seconds >= 0:
            raise ValueError("time goes forward only")
        self._fake.act(lambda relay: relay.advance(seconds))

    def restart(self) -> object:
        """As a relay without ``--data`` restarts: no state, no ids, a new epoch. Calls ``on_new_epoch`` itself, in this
        thread, and returns what that returns, for the test to await where it is a coroutine."""
        self._fake.act(MemoryRelay.restart)
        return None if self._on_new_epoch is None else self._on_new_epoch(self._fake.relay.epoch)

    def say(
        self, type: str, data: object = None, *,
        id: str | None = None, connection: int = 1, channel: str = "", **members: object,
    ) -> None:  # fmt: skip
        """A client says something to the backend: ``id`` is its identity, ``connection`` its number, ``members`` is what
        else its message has. It waits until ``messages()`` or a handler takes it."""
        event = said(type, data, id, connection, checked_channel(channel), members)
        self._fake.play(lambda relay: relay.say(event))

    def publish(
        self, event: str, data: object = None, *, id: str | None = None, connection: int = 1, channel: str = ""
    ) -> None:
        """A client publishes an event for all who follow the channel (``sync:publish``), which is ``from`` its identity
        ``id``. It may do so in every channel but the personal ones; it is none of the ``commands``. Raises InvalidValue."""
        if channel.startswith("@"):
            raise InvalidValue("channel", f"is {channel!r}: no client may publish in a personal channel")
        command = self._encoder.broadcast(event, data, None, True, None, checked_channel(channel), from_=id)
        number = checked_connection(connection)
        self._fake.play(lambda relay: relay.publish(json.loads(command), number))

    def hang_up(self, connection: int = 1, code: int = 1001) -> None:
        """The connection of this number ends, as ``code`` says; 1006 is one that is lost. Its identity stays a member
        until ``leave``. One that the fake has not heard of is no error."""
        self._fake.play(lambda relay: relay.hang_up(checked_connection(connection), code))

    @property
    def unhandled(self) -> list[dict[str, Any]]:
        """What was said and is not done: ``data`` is the client's message, ``attempt`` how often it was handed out."""
        return self._fake.copied(lambda relay: relay.inbox.events)

    def wait_until_handled(self, timeout: float = 5.0) -> None:
        """Until all that was said is done, and all notices that have a handler are handled, by handlers that ``start`` or a
        ``lifespan`` runs. Raises TimeoutError after ``timeout`` seconds. It blocks: in coroutines, ``await asyncio.to_thread(fake.wait_until_handled)``."""
        kinds = self._handlers.notices.kinds
        if not self._fake.wait_until(lambda relay: not relay.inbox.events and relay.notices.are_handled(kinds), timeout):
            raise TimeoutError(f"not done within {timeout:g} s: {self.unhandled or 'notices'}")

    def join(self, id: str, info: Mapping[str, object] | None = None, *, channel: str = "") -> None:
        """This identity follows the channel from now on, or says something else of itself; clients are told. The fake
        keeps members in every channel."""
        self._fake.play(lambda relay: relay.join(checked_channel(channel), checked_identity(id), dict(info or {})))

    def leave(self, id: str, *, channel: str = "") -> None:
        """It has left, its grace is over; clients are told, and its will takes effect."""
        self._fake.play(lambda relay: relay.leave(checked_channel(channel), id))

    @property
    def disconnected(self) -> list[dict[str, Any]]:
        """What ``disconnect`` was called with, oldest first."""
        return self._fake.copied(lambda relay: relay.closed)

    def reject(self, code: str, message: str = "refused by the test", offset: int = 0, times: int = 1) -> None:
        """The next ``times`` commands have no effect; those that want to be confirmed raise CommandRejected."""
        if code not in REJECTION_CODES:
            raise ValueError(f"{code!r} is none of the relay's codes: {', '.join(sorted(REJECTION_CODES))}")
        error = {"code": code, "message": message, "offset": offset}
        self._fake.rejections += [{"ok": False, "error": error}] * times

    def lose_answer(self, times: int = 1) -> None:
        """The next ``times`` confirmed commands take effect, but their callers get ConfirmTimeout, at once."""
        self._fake.answers_to_lose += times

    def go_away(self) -> None:
        """Unreachable: commands wait in the queue, and whoever wants an answer gets a timeout, at once."""
        self._fake.away = True

    def come_back(self) -> None:
        """Reachable again: what waited takes effect, in order."""
        self._fake.come_back()


class FakeChannel(Channel):
    """What ``channel(name)`` of a FakeRelay gives."""

    def __init__(self, relay: FakeRelay, name: str) -> None:
        super().__init__(relay, name)
        self._fake = relay._fake

    @property
    def events(self) -> list[dict[str, Any]]:
        """What those who follow this channel were sent, oldest first: ``type``, ``channel``, ``data``, ``ts``, ``seq``,
        perhaps ``set``."""
        return self._fake.copied(lambda relay: relay.events_of(self.name))

    @property
    def stored(self) -> dict[str, Any]:
        """The state by key, as ``FakeRelay.stored``."""
        return self._fake.copied(lambda relay: relay.state_of(self.name))

    def connect(self, *clients: Client) -> None:
        """Who follows this channel from now on, until it is dropped."""
        self._fake.play(lambda relay: relay.follow(self.name, clients))

"""The bounded queue between the callers and the relay."""

from __future__ import annotations

import enum
from collections import deque
from typing import Callable, Literal

from .errors import RelayClosed, RelayUnavailable
from .threads import OwnedLock

WhenFull = Literal["raise", "drop_oldest"]

_HELP = 4  # commands that one put sends at most: its own and some of a backlog


class Progress(enum.Enum):
    drained = "nothing is left to send"
    stuck = "the relay is away or its pipe is full"
    held = "nothing may be sent yet"
    more = "there is more to send"


class Outbox:
    """First in, first out, bounded by count and bytes. Thread-safe.

    While commands flow, ``put`` sends at once, in the caller's thread and under the lock, through ``try_send``, which
    never waits. Handing every command to the I/O thread instead would cost a wakeup each, and in a process that is busy
    in Python, the GIL would let that thread send one command per switch interval (5 ms). The I/O thread takes over when
    ``try_send`` refuses; until it says ``open`` again nobody else calls ``try_send``, so that it alone has the socket.

    While ``is_held`` says so nothing is sent at all: a confirmed command that timed out may take effect yet, and what
    came after it must not overtake it.

    Whatever calls ``put`` in the midst of another call of the same thread, a finalizer or a signal handler, only leaves its
    command aside, and that call takes it in before it returns. So nothing here is ever entered twice, the socket neither.

    ``posted`` and ``gone`` (sent or dropped) only grow: everything up to a mark is gone once ``gone`` reaches it.
    """

    def __init__(self, max_commands: int, max_bytes: int, when_full: WhenFull) -> None:
        self.max_commands = max_commands
        self.max_bytes = max_bytes
        self.when_full = when_full
        self.posted = 0
        self.gone = 0
        self.dropped = 0
        self.closed = False
        self._lock = OwnedLock()
        self._commands: deque[bytes] = deque()
        self._bytes = 0
        self._aside: deque[bytes] = deque()
        self._aside_bytes = 0
        self._try_send: Callable[[bytes], bool] | None = None  # None: stuck
        self._is_held: Callable[[], bool] = lambda: False

    def hold_while(self, is_held: Callable[[], bool]) -> None:
        """To be called before any command is put. Whoever ends that state wakes the I/O thread."""
        self._is_held = is_held

    def fresh(self) -> Outbox:
        """An empty one with the same limits: what a forked child starts with. Takes no lock."""
        outbox = Outbox(self.max_commands, self.max_bytes, self.when_full)
        outbox.closed = self.closed
        return outbox

    def put(self, command: bytes) -> bool:
        """Returns whether the I/O thread must be woken. Raises RelayUnavailable or RelayClosed; never waits."""
        if self.closed:
            raise RelayClosed("this relay client is closed")
        if self._lock.is_mine():
            self._put_aside(command)
            return False
        with self._lock:
            if self.closed:
                raise RelayClosed("this relay client is closed")
            wake = self._take_in()
            wake = self._put(command) or wake
        return self._settle() or wake

    def is_mine(self) -> bool:
        """Whether this thread is in the midst of a call: then it must not wait for the I/O thread, which waits for it."""
        return self._lock.is_mine()

    def put_extra(self, command: bytes) -> int:
        """I/O thread: one command beyond the limits, also when closed. Returns where ``gone`` is once it is gone."""
        with self._lock:
            self._take_in()
            self._append(command)
            mark = self.posted
        self._settle()
        return mark

    def open(self, try_send: Callable[[bytes], bool]) -> None:
        """I/O thread: the relay is there and its pipe has room."""
        with self._lock:
            self._try_send = try_send

    def shut(self) -> None:
        """I/O thread: from now on the socket is its own."""
        with self._lock:
            self._try_send = None

    def send(self, limit: int) -> Progress:
        """I/O thread: sends up to ``limit`` commands, if open."""
        with self._lock:
            self._take_in()
            progress = self._send(limit)
        if self._aside:
            self._settle()
            return Progress.more
        return progress

    def close(self) -> None:
        """Every later ``put`` raises RelayClosed; what is queued stays."""
        with self._lock:
            self.closed = True

    def clear(self) -> int:
        """Gives up everything that is queued; returns how many commands that were."""
        with self._lock:
            self._take_in()
            unsent = len(self._commands)
            while self._commands:
                self._forget_first()
            return unsent

    def __len__(self) -> int:
        return len(self._commands) + len(self._aside)

    def _put(self, command: bytes) -> bool:
        size = len(command)
        if len(self._commands) >= self.max_commands or self._bytes + size > self.max_bytes:
            self._make_room(size)
        return self._append(command)

    def _put_aside(self, command: bytes) -> None:
        """The interrupted call may be anywhere in here: nothing but what is aside may be changed."""
        count, size = len(self) + 1, self._bytes + self._aside_bytes + len(command)
        if count > self.max_commands or size > self.max_bytes:
            if self.when_full == "raise":
                raise RelayUnavailable(f"the queue is full ({count - 1} commands): {self._why_full()}")
            while self._aside and (
                len(self) >= self.max_commands or self._bytes + self._aside_bytes + len(command) > self.max_bytes
            ):
                self._aside_bytes -= len(self._aside.popleft())
                self.dropped += 1
        self._aside_bytes += len(command)
        self._aside.append(command)

    def _take_in(self) -> bool:
        """What was put aside; returns whether the I/O thread must be woken."""
        wake = False
        while self._aside:
            command = self._aside.popleft()
            self._aside_bytes -= len(command)
            wake = (self._put(command) if self.when_full == "drop_oldest" else self._append(command)) or wake
        return wake

    def _settle(self) -> bool:
        """To be called once the lock is free: what was put aside in the last moment."""
        wake = False
        while self._aside and not self._lock.is_mine():
            with self._lock:
                wake = self._take_in() or wake
        return wake

    def _append(self, command: bytes) -> bool:
        self._commands.append(command)
        self._bytes += len(command)
        self.posted += 1
        if self._try_send is None and not self._is_held():
            return False
        progress = self._send(_HELP)
        return progress is Progress.stuck or (progress is Progress.held and len(self._commands) == 1)

    def _send(self, limit: int) -> Progress:
        for _ in range(limit):
            if not self._commands:
                return Progress.drained
            if self._is_held():
                return Progress.held
            if self._try_send is None or not self._try_send(self._commands[0]):
                self._try_send = None
                return Progress.stuck
            self._forget_first()
        return Progress.more if self._commands else Progress.drained

    def _make_room(self, size: int) -> None:
        if self.when_full == "raise":
            raise RelayUnavailable(
                f"the queue is full ({len(self._commands)} commands, {self._bytes} bytes; limits {self.max_commands} "
                f"and {self.max_bytes}): {self._why_full()}"
            )
        while self._commands and (len(self._commands) >= self.max_commands or self._bytes + size > self.max_bytes):
            self._forget_first()
            self.dropped += 1

    def _why_full(self) -> str:
        if self._is_held():
            return "they wait for the relay's answer to a confirmed command that timed out"
        return "the relay is away or slower than this process"

    def _forget_first(self) -> None:
        self._bytes -= len(self._commands.popleft())
        self.gone += 1

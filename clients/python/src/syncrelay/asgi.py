"""For FastAPI, Starlette and all else that has a lifespan."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, AsyncContextManager, AsyncIterator, Callable, Union

from .aio import AsyncRelay
from .errors import RelayClosed, SyncRelayError
from .relay import Relay
from .service import Service

Lifespan = Callable[[Any], AsyncContextManager[Any]]

_log = logging.getLogger("syncrelay")


def lifespan(
    relay: Union[Relay, AsyncRelay], own: Lifespan | None = None, *,
    concurrency: int = 10, lease: float = 30.0, grace: float = 5.0,
) -> Lifespan:  # fmt: skip
    """A lifespan that ends when the relay has taken what was queued, or after ``close_timeout``, with a log line. Within
    it the handlers of ``relay.on`` and ``relay.on_notice`` are called, in the server's event loop, as ``AsyncRelay.serve``
    does it with these arguments.

    ``own`` is the application's own one, which runs inside: what it pushes at its end arrives, too, and what it yields is
    passed on; for an application that is made already, ``app.router.lifespan_context``, which calls the handlers of
    ``on_event``, too. Without a control endpoint the end is when all is handed to the socket. The relay stays open.

    Needed because of servers that kill themselves after their shutdown: uvicorn from 0.29 on raises the signal again that
    stopped it, and exit hooks run no more.
    """
    client = relay if isinstance(relay, AsyncRelay) else AsyncRelay(relay=relay)

    def served() -> AsyncContextManager[None]:
        return _served(client, partial(client._relay._service, concurrency, lease, grace, False))

    @asynccontextmanager
    async def span(app: Any) -> AsyncIterator[Any]:
        try:
            if own is None:
                _warn_of_handlers(app)
                async with served():
                    yield None
            else:
                async with own(app) as state, served():
                    yield state
        finally:
            await _hand_over(client)

    return span


@asynccontextmanager
async def _served(relay: AsyncRelay, new_service: Callable[[], Service]) -> AsyncIterator[None]:
    """While it is open, handlers are called that were registered before."""
    if not relay._handlers:
        yield
        return
    service = new_service()
    task = asyncio.ensure_future(service.run())
    task.add_done_callback(_tell_failure)
    try:
        yield
    finally:
        service.stop()
        await asyncio.wait([task])


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("no more messages are handled", exc_info=task.exception())


def _warn_of_handlers(app: Any) -> None:
    """A lifespan takes their place without a word, in Starlette and FastAPI."""
    router = getattr(app, "router", None)
    if getattr(router, "on_startup", None) or getattr(router, "on_shutdown", None):
        _log.warning(
            "the application has on_event handlers, which its lifespan takes the place of: they are not called; set "
            "app.router.lifespan_context = syncrelay.lifespan(relay, app.router.lifespan_context)"
        )


async def _hand_over(relay: AsyncRelay) -> None:
    timeout = relay._sender.close_timeout(None)
    try:
        await relay.flush(timeout, confirm=relay.control is not None)
    except RelayClosed:
        pass  # by the application's own lifespan
    except SyncRelayError as error:
        _log.warning("the application ends, perhaps with commands unsent: %s", error)

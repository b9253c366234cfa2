"""Run as a process: the end of an ASGI server as uvicorn does it since 0.29.

It takes SIGTERM over, imports the application, runs its lifespan, and once it is asked to stop and has shut down gives the
signal back to whoever had it before and raises it again: exit hooks run no more.
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
from typing import Any


async def serve(name: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(stop.set))
    app = importlib.import_module(name).app
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    messages.put_nowait({"type": "lifespan.startup"})
    running = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}}, messages.get, said.put))
    assert (await said.get())["type"] == "lifespan.startup.complete"
    print("ready", flush=True)
    await stop.wait()
    messages.put_nowait({"type": "lifespan.shutdown"})
    assert (await said.get())["type"] == "lifespan.shutdown.complete"
    await running
    signal.signal(signal.SIGTERM, before)
    signal.raise_signal(signal.SIGTERM)


asyncio.run(serve(sys.argv[1]))

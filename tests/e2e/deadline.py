"""Waiting for a condition with a deadline: what this suite does where others sleep."""

import asyncio
import time

POLL_SECONDS = 0.01
PATIENCE = 20.0  # seconds; only a test that fails waits for so long


def wait_until(condition, what, seconds=PATIENCE):
    """Returns the condition's first true value; fails with `what` when the deadline passes."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(POLL_SECONDS)
    return value


async def until(condition, what, seconds=PATIENCE):
    """As wait_until, letting the event loop run between the looks."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {what() if callable(what) else what}"
        await asyncio.sleep(POLL_SECONDS)
    return value

"""For Celery."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from .errors import SyncRelayError
from .relay import Relay

_log = logging.getLogger("syncrelay")


def flush_after_tasks(relay: Relay, timeout: float = 5.0) -> None:
    """From now on each task of this process and its pool ends when the relay has taken what was queued, or after
    ``timeout`` seconds, with a log line.

    Not needed for children that Celery ends in order, such as those of ``max_tasks_per_child``: the client sees to them.
    It is for those that are killed: by a hard time limit, for their memory, by ``terminate``.
    """

    def flush(**_: Any) -> None:
        try:
            relay.flush(timeout, confirm=relay.control is not None)
        except SyncRelayError as error:
            _log.warning("a task ends, perhaps with commands unsent: %s", error)

    importlib.import_module("celery.signals").task_postrun.connect(flush, weak=False)

"""What a relay client is made with, checked."""

from __future__ import annotations

import os

from .curve import Curve, default_curve, is_secured
from .endpoint import as_endpoint, check_endpoint, default_control, default_endpoint, no_control, refuse_control_socket
from .epoch import OnNewEpoch
from .outbox import WhenFull


class Options:
    """Raises ValueError, TypeError or InvalidEndpoint for what cannot work."""

    def __init__(
        self,
        endpoint: str | os.PathLike[str] | None,
        control: str | os.PathLike[str] | None,
        curve: Curve | None,
        when_full: WhenFull,
        max_queue_commands: int,
        max_queue_bytes: int,
        max_command: int,
        on_new_epoch: OnNewEpoch,
    ) -> None:
        if when_full not in ("raise", "drop_oldest"):
            raise ValueError(f"when_full is 'raise' or 'drop_oldest', not {when_full!r}")
        if max_queue_commands < 1 or max_queue_bytes < 1:
            raise ValueError("the queue's limits must be positive")
        if curve is not None and not isinstance(curve, Curve):
            raise TypeError(f"curve is a Curve(server_key=…, key=…), not {type(curve).__name__}")
        given = None if endpoint is None else as_endpoint(endpoint)
        self.control = as_endpoint(control) if control else default_control(given or None)
        if self.control is not None:
            check_endpoint(self.control)
        self.endpoint = check_endpoint(given or default_endpoint())
        refuse_control_socket(self.endpoint, self.control)
        tcp = is_secured(self.endpoint) or is_secured(self.control or "")
        self.curve = curve or (default_curve() if tcp else None)
        if self.control is None and on_new_epoch is not None:
            raise no_control(self.endpoint, "on_new_epoch needs")
        self.max_command = min(max_command, max_queue_bytes)

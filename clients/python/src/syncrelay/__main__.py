"""``python -m syncrelay serve …`` is ``syncrelay serve …``: the relay's program takes the place of this process."""

import os
import sys

from .binary import find_binary
from .errors import RelayNotStarted


def main() -> None:
    try:
        binary = find_binary()
    except RelayNotStarted as missing:
        sys.exit(f"syncrelay: {missing}")
    os.environ.pop("SYNCRELAY_BINARY", None)  # no setting of the relay's
    os.execv(binary, [str(binary), *sys.argv[1:]])


if __name__ == "__main__":
    main()

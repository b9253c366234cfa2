"""Makes of the client's wheel one that has the relay's program besides, which pip puts on the PATH.

    binary_wheel.py dist/syncrelay-0.2.0-py3-none-any.whl build/package/static/syncrelay dist

Both have the same name and version. pip takes the wheel that says most about the machine: the one with the program
where it runs, the client alone everywhere else.
"""

import base64
import hashlib
import re
import sys
import zipfile
from pathlib import Path

from platform_tag import platform_tag


def file_info(name: str, executable: bool, like: zipfile.ZipInfo) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, like.date_time)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100755 if executable else 0o100644) << 16
    return info


def digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def with_tag(wheel: bytes, tag: str) -> bytes:
    """The WHEEL file for a package that is bound to a platform."""
    text = re.sub(r"(?m)^Root-Is-Purelib: .*$", "Root-Is-Purelib: false", wheel.decode())
    return re.sub(r"(?m)^Tag: .*$", f"Tag: py3-none-{tag}", text).encode()


def make(pure: Path, binary: Path, folder: Path) -> Path:
    """The file that it has written."""
    tag = platform_tag(str(binary))
    name, version = pure.name.split("-")[:2]
    with zipfile.ZipFile(pure) as archive:
        infos = archive.infolist()
        files = {info.filename: archive.read(info) for info in infos}
    record = f"{name}-{version}.dist-info/RECORD"
    del files[record]
    files[f"{name}-{version}.dist-info/WHEEL"] = with_tag(files[f"{name}-{version}.dist-info/WHEEL"], tag)
    program = f"{name}-{version}.data/scripts/syncrelay"
    files[program] = binary.read_bytes()
    lines = [f"{file},{digest(content)},{len(content)}" for file, content in files.items()]
    files[record] = ("\n".join([*lines, f"{record},,"]) + "\n").encode()
    made = folder / f"{name}-{version}-py3-none-{tag}.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for file, content in files.items():
            archive.writestr(file_info(file, file == program, infos[0]), content)
    return made


if __name__ == "__main__":
    try:
        print(make(*map(Path, sys.argv[1:4])))
    except ValueError as fault:
        sys.exit(f"error: {fault}")

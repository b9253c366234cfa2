"""Keys that sign tokens. Which algorithm one is for follows from the key, as it does in the relay."""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Union

from .errors import InvalidValue

MIN_SECRET = 32  # bytes; the relay's limit, and that of RFC 7518 section 3.2
RSA_BITS = range(2048, 8193)

Key = Union[str, bytes, "os.PathLike[str]"]


class SigningKey(NamedTuple):
    algorithm: str
    key: Any  # as PyJWT takes it

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm})"


def signing_key(key: Key) -> SigningKey:
    """``key``: a secret, or a private key in PEM; or the path of a file with it, which is read each time.

    Raises InvalidValue, which shows nothing of the key, ImportError where a package is missing, OSError of the file.
    """
    if isinstance(key, os.PathLike):
        return _signing_key(_without_line_end(Path(key).read_bytes()))
    if isinstance(key, str):
        return _signing_key(_without_line_end(_bytes_of(key)))
    if not isinstance(key, bytes):
        what = "a secret or a private key in PEM (str, bytes), or the Path of its file"
        raise InvalidValue("key", f"must be {what}, not a {type(key).__name__}")
    if key.endswith(b"\n") and key.isascii() and not _is_pem(key):
        _refuse("is text with the end of its line, which is no part of the relay's: give it as str, or the file's Path")
    return _signing_key(key)


def package(module: str, name: str) -> Any:
    """The module of a package that only tokens need."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"tokens need {name}, which is not here ({error}): apt-get install python3-jwt python3-cryptography, "
            "or pip install 'pyjwt[crypto]'"
        ) from error


def _without_line_end(content: bytes) -> bytes:
    """As the relay reads its ``--token-key``."""
    content = content[:-1] if content.endswith(b"\n") else content
    return content[:-1] if content.endswith(b"\r") else content


def _bytes_of(key: str) -> bytes:
    try:
        content = key.encode()
    except UnicodeEncodeError:
        _refuse("has a lone surrogate, which UTF-8 cannot carry")
    if os.sep in key and not _is_pem(content) and os.path.isfile(key):
        _refuse("is the path of a file, not a secret: give it as pathlib.Path")
    return content


def _is_pem(content: bytes) -> bool:
    return b"-----BEGIN " in content


@lru_cache(maxsize=16)  # a private key is slow to read
def _signing_key(content: bytes) -> SigningKey:
    if _is_pem(content):
        return _of_pem(content)
    if content.startswith((b"ssh-", b"ecdsa-")):
        _refuse("is a public key of SSH, not a secret")
    if len(content) < MIN_SECRET:
        _refuse(f"is a secret of {len(content)} bytes; {MIN_SECRET} at least, for example from `openssl rand -hex 32`")
    return SigningKey("HS256", content)


def _of_pem(content: bytes) -> SigningKey:
    if b"PRIVATE KEY-----" not in content:
        _refuse("is a public key or a certificate, which only verifies: tokens are made with the private key")
    serialization = package("cryptography.hazmat.primitives.serialization", "cryptography")
    try:
        key = serialization.load_pem_private_key(content, None)
    except TypeError:
        _refuse("is an encrypted private key: give it decrypted (`openssl pkey -in KEY`)")
    except Exception:  # what is raised changes with the version of cryptography
        _refuse("is no private key in PEM that can be read")
    return SigningKey(_algorithm_of(key), key)


def _algorithm_of(key: Any) -> str:
    asymmetric = "cryptography.hazmat.primitives.asymmetric"
    if isinstance(key, importlib.import_module(f"{asymmetric}.ed25519").Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, importlib.import_module(f"{asymmetric}.rsa").RSAPrivateKey):
        if key.key_size not in RSA_BITS:
            _refuse(f"is an RSA key of {key.key_size} bits; {RSA_BITS[0]} to {RSA_BITS[-1]} are possible")
        return "RS256"
    elliptic = importlib.import_module(f"{asymmetric}.ec")
    if isinstance(key, elliptic.EllipticCurvePrivateKey) and isinstance(key.curve, elliptic.SECP256R1):
        return "ES256"
    _refuse("is a private key of another kind; possible are RSA, EC on P-256 and Ed25519")


def _refuse(reason: str) -> NoReturn:
    raise InvalidValue("key", reason) from None

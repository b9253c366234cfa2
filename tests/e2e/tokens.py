"""Issuers of tokens: a key, the file that a relay gets of it, and what is signed with it."""

import base64
import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
LEEWAY = 60  # seconds that a relay takes a token for longer


class Issuer:
    def __init__(self, algorithm="HS256"):
        self.algorithm = algorithm
        self.key = {"HS256": lambda: "s" * 40, "RS256": lambda: rsa.generate_private_key(65537, 2048),
                    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                    "EdDSA": ed25519.Ed25519PrivateKey.generate}[algorithm]()

    def key_file(self, path):
        path.write_bytes(self.key.encode() if self.algorithm == "HS256" else self._public_pem())
        return path

    def _public_pem(self):
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, kid):
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        public = self.key if self.algorithm == "HS256" else self.key.public_key()
        made = algorithm.to_jwk(public)
        made = {**(made if isinstance(made, dict) else json.loads(made)), "kid": kid}
        if self.algorithm == "ES256":
            numbers = public.public_numbers()
            made.update(x=coordinate(numbers.x), y=coordinate(numbers.y))
        return made

    def token(self, sub=None, ttl=300, kid=None, **claims):
        claims = {"exp": time.time() + ttl, **({"sub": sub} if sub else {}), **claims}
        return jwt.encode(claims, self.key, self.algorithm, headers={"kid": kid} if kid else None)


def coordinate(number):
    """With its leading zeros (RFC 7518 section 6.2.1.2), which some versions of PyJWT leave out."""
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


def jwks_file(path, **issuers):
    """In one step, as a file that is read meanwhile has to be written."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"keys": [issuer.jwk(kid) for kid, issuer in issuers.items()]}))
    part.replace(path)
    return path

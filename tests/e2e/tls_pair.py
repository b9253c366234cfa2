"""Certificates with their keys, as an operator has them in files, and clients that believe one."""

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (BestAvailableEncryption, Encoding, NoEncryption,
                                                          PrivateFormat)
from cryptography.x509.oid import NameOID

KINDS = {"P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
         "RSA-2048": lambda: rsa.generate_private_key(65537, 2048)}


class TlsPair:
    """Self-signed for localhost and 127.0.0.1; `name` tells pairs from each other. It counts from `begins` to `days`, in days from now."""

    def __init__(self, folder, name="localhost", kind="P-256", days=1, passphrase=None, begins=-30):
        self._begins = begins
        self.key_object = KINDS[kind]()
        self.certificate_object = self._signed(name, days)
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        self.certificate_pem = self.certificate_object.public_bytes(Encoding.PEM)
        self.key_pem = self.key_object.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.write()

    def _signed(self, name, days):
        now = datetime.datetime.now(datetime.timezone.utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                .public_key(self.key_object.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now + datetime.timedelta(days=self._begins)).not_valid_after(now + datetime.timedelta(days=days))
                .add_extension(x509.SubjectAlternativeName(names), False)
                .sign(self.key_object, hashes.SHA256()))

    def write(self):
        """Into its folder, each file in one step; one after the other."""
        self.write_certificate()
        self.write_key()

    def write_certificate(self):
        replace(self.cert, self.certificate_pem)

    def write_key(self):
        replace(self.key, self.key_pem)
        self.key.chmod(0o600)

    @property
    def options(self):
        return ["--tls-cert", self.cert, "--tls-key", self.key]

    def client(self, **how):
        """A context that believes this certificate; `how` sets attributes of it."""
        context = ssl.create_default_context(cadata=self.certificate_pem.decode())
        for name, value in how.items():
            setattr(context, name, value)
        return context

    @property
    def der(self):
        return self.certificate_object.public_bytes(Encoding.DER)


def replace(path, content):
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)

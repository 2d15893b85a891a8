"""A certificate authority of a test's own, and sites that it vouches for."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import clock


@dataclass(frozen=True)
class Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, folder: Path, *names: str) -> Path:
        """The key and the certificate of a server of these names or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        issued = _build(names[0], self.certificate.subject, key, is_ca=False, names=names)
        chain = issued.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        path = folder / f"{names[0]}.pem"
        path.write_bytes(_private(key) + chain)
        return path

    def context(self, folder: Path, *names: str) -> ssl.SSLContext:
        """What a server of these names or addresses speaks with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issue(folder, *names))
        return context


def make_authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("an authority of our tests")
    builder = _build("an authority of our tests", subject, key, is_ca=True, names=())
    return Authority(key, builder.sign(key, hashes.SHA256()))


def _build(
    name: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
    names: tuple[str, ...],
) -> x509.CertificateBuilder:
    now = clock.real_now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=400))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    return builder.add_extension(_alternatives(names), critical=False) if names else builder


def _alternatives(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(found)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

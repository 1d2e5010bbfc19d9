"""The provider's key and certificate: made once, kept in the volume."""

# cryptography is in the pod only:
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
from __future__ import annotations

import os
import secrets
from datetime import datetime, timedelta, timezone
from pathlib import Path

YEARS = 10


def ensure(home: Path) -> tuple[str, str]:
    """Return the private key and the certificate as PEM; they are made when they are not there."""
    path = home / "signing.pem"
    if not path.exists():
        _write(path, _made())
    key, _, rest = path.read_text().partition("-----BEGIN CERTIFICATE-----")
    text = f"-----BEGIN CERTIFICATE-----{rest}"
    # By itself, for whoever hands it on and must not see the key.
    if not (home / "certificate.pem").exists() or (home / "certificate.pem").read_text() != text:
        _write(home / "certificate.pem", text)
    return key, text


def secret(home: Path) -> bytes:
    """Return the secret that persistent name identifiers are made with."""
    path = home / "secret"
    if not path.exists():
        _write(path, secrets.token_hex(32))
    return bytes.fromhex(path.read_text())


def _made() -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SAML identity provider for development")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner reads, and that is there whole or not at all."""
    temporary = path.with_name(f".{path.name}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    temporary.rename(path)

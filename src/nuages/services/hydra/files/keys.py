"""The keys that tokens are signed with: made once, kept in the volume; one that was replaced still verifies.

Run as a program with home and an algorithm, it makes a new key. A provider that runs sees that the file has changed.
"""

# joserfc is in the pod only:
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import people
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

ALGORITHMS = ("RS256", "RS512", "ES256", "ES512", "EdDSA")
KEPT = 3
"""Keys that are kept, the newest included."""


class Keys:
    """The signing keys, as the file has them now: the newest first."""

    def __init__(self, home: Path) -> None:
        path = home / "keys.json"
        if not path.exists():
            rotate(home, ALGORITHMS[0])
        self._file = people.File(path)

    @property
    def set(self) -> KeySet:
        """Return all keys."""
        return KeySet.import_key_set(self._file.read())

    @property
    def newest(self) -> Any:
        """Return the key to sign with."""
        return self.set.keys[0]

    @property
    def algorithm(self) -> str:
        """Return the algorithm to sign by."""
        return str(self._file.read()["keys"][0]["alg"])

    def public(self) -> dict[str, Any]:
        """Return what everybody may know of the keys."""
        return self.set.as_dict(private=False)


def make(algorithm: str) -> dict[str, Any]:
    """Return a new private key as a JWK."""
    parameters = {"use": "sig", "alg": algorithm}
    if algorithm.startswith("RS"):
        key: Any = RSAKey.generate_key(2048, parameters, auto_kid=True)
    elif algorithm.startswith("ES"):
        key = ECKey.generate_key({"ES256": "P-256", "ES512": "P-521"}[algorithm], parameters, auto_kid=True)
    else:
        key = OKPKey.generate_key("Ed25519", parameters, auto_kid=True)
    return key.as_dict(private=True)


def rotate(home: Path, algorithm: str) -> None:
    """Put a new key before those that are kept."""
    path = home / "keys.json"
    kept = json.loads(path.read_text())["keys"] if path.exists() else []
    text = json.dumps({"keys": [make(algorithm), *kept][:KEPT]})
    temporary = path.with_name(".keys.json")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    temporary.rename(path)


if __name__ == "__main__":
    rotate(Path(sys.argv[1]), sys.argv[2])
    sys.stdout.write(json.loads((Path(sys.argv[1]) / "keys.json").read_text())["keys"][0]["kid"])

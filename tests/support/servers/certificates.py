"""Certificates made for a test by the ``openssl`` command."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Issued(NamedTuple):
    """A certificate and its key, in PEM."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """An authority that signs certificates; only clients with its ``certificate`` trust it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._directory = directory
        self.certificate = directory / "ca.pem"
        self._key = directory / "ca.key"
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority"),
            # Python refuses an authority without it from 3.13 on.
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", self._key, "-out", self.certificate),
        )

    def issue(self, name: str, alternative_name: str) -> Issued:
        """A certificate for ``IP:…`` or ``DNS:…``."""
        certificate, key, both = (self._directory / f"{name}{end}" for end in (".pem", ".key", "-both.pem"))
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-CA", self.certificate, "-CAkey", self._key, "-addext", f"subjectAltName={alternative_name}"),
            *("-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", certificate),
        )
        both.write_text(key.read_text() + certificate.read_text())
        return Issued(certificate, key, both)


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)  # noqa: S603, S607  # the system's own, on words of ours

"""TLS contexts and secrets of clients, from the files that settings name. Host names are always verified.

Secrets are read when a client is created, and no message holds one.
"""

import ssl
from pathlib import Path
from typing import Protocol

from app.errors import ConfigurationError

EXPIRED, OTHER_HOST, OTHER_ADDRESS = 10, 62, 64
"""OpenSSL's error codes of certificate verification (X509_V_ERR_...)."""


class TlsFiles(Protocol):
    """The TLS settings of a client: paths of PEM files, empty where unset."""

    @property
    def tls_ca_file(self) -> str: ...
    @property
    def tls_cert_file(self) -> str: ...
    @property
    def tls_key_file(self) -> str: ...
    @property
    def tls_key_password_file(self) -> str: ...


def read_file(name: str, path: str) -> str:
    """The text of a setting's file, stripped. Raises ConfigurationError, whose message never holds the text."""
    if not path:
        raise ConfigurationError(f"{name} is not set. Give the path of the file.")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ConfigurationError(
            f"{name}={path}: {reason}. Mount the file, readable by the worker's user, or correct the path."
        ) from None
    if not text:
        raise ConfigurationError(f"{name}={path}: the file is empty.")
    return text


def client_context(prefix: str, files: TlsFiles) -> ssl.SSLContext:
    """A client context that trusts the CA file of the settings, or the system's authorities without one.

    ``prefix`` is the prefix of the settings' names in messages. Raises ConfigurationError for an unusable file.
    """
    authorities = read_file(f"{prefix}TLS_CA_FILE", files.tls_ca_file) if files.tls_ca_file else None
    try:
        context = ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError):
        raise ConfigurationError(
            f"{prefix}TLS_CA_FILE={files.tls_ca_file}: the file holds no certificates in PEM."
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.tls_cert_file:
        _load_identity(context, prefix, files)
    return context


def _load_identity(context: ssl.SSLContext, prefix: str, files: TlsFiles) -> None:
    read_file(f"{prefix}TLS_CERT_FILE", files.tls_cert_file)
    read_file(f"{prefix}TLS_KEY_FILE", files.tls_key_file)
    # Without a password OpenSSL prompts for one on the console, which blocks the worker: pass an empty one.
    password = ""
    if files.tls_key_password_file:
        password = read_file(f"{prefix}TLS_KEY_PASSWORD_FILE", files.tls_key_password_file)
    try:
        context.load_cert_chain(files.tls_cert_file, files.tls_key_file, password=lambda: password)
    except (ssl.SSLError, OSError, ValueError):
        raise ConfigurationError(
            f"{prefix}TLS_CERT_FILE={files.tls_cert_file} and {prefix}TLS_KEY_FILE={files.tls_key_file}: not a "
            f"certificate and its key in PEM, or {prefix}TLS_KEY_PASSWORD_FILE holds another password."
        ) from None

"""The optional extra `cases` (psycopg). Call ``require_psycopg`` before importing the other modules of this package."""

from importlib.util import find_spec

from app.errors import ConfigurationError


def require_psycopg(user: str) -> None:
    """Raise ConfigurationError, naming who needs it, unless the extra is installed."""
    if find_spec("psycopg") is None:
        raise ConfigurationError(
            f"{user} needs psycopg, which is not installed: pip install 'fraudstream[cases]'."
        )

"""The group MAPPING."""

from app.settings.kinds import Group


class MappingSettings(Group, frozen=True, kw_only=True):
    """Column mappings of files and tables; docs/data/mappings.md."""

    token_key_file: str = ""
    """File with the secret of keyed tokens, at least 16 bytes; only mappings with `token = true` need it. The same key gives the
    same tokens: all commands and workers need the same one, and a new key makes new customers."""

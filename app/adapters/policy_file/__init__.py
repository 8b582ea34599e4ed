"""Policy files: TOML with rules, bands and lists, read over a catalog. Imports ``app.policy``. Start with ``reader``."""

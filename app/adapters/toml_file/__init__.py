"""TOML files of others: read within bounds, with the place of every key. Catalogs and policies are such files. Start with ``reader``."""

"""From syntax to the typed tree, with errors that name line, column and remedy. Start with ``checker``."""

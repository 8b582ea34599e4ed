"""Everything that talks to the outside world, one package per outside system.

Imports the domain, features, scoring and settings; nothing above. Start with ``kafka`` for the clients, ``serde`` for
bytes, ``models`` for bundles.
"""

"""The schema registry: its client, its subjects, and schemas cached by id.

The client library is an optional extra; ``registry_extra`` names the remedy when it is missing. Start with ``client``.
"""

"""Bytes to events and back: JSON, Avro, Protobuf, and the binary codecs of facts and contacts.

Imports ``schema_registry`` and ``kafka.records``. Start with ``json_codec``; ``event_decoder`` chooses the format of a record.
"""

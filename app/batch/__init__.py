"""The daily batch: files in, features or scores out, through the fold and the model of the stream. No Kafka.

Start with ``run``.
"""

"""The local stack: real Kafka, Redis, Postgres, Kafka Connect and a schema registry as processes on loopback.

Start with ``stack``; a ``supervisor`` process owns the servers.
"""

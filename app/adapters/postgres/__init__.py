"""The Postgres that holds cases: migrations, the store, the outbox. Imports the optional extra `cases` (psycopg).

Start with ``database`` (connections, retries), then ``apply`` (what a worker writes), ``actions`` (what analysts do), ``outbox``.
"""

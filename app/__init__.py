"""fraudstream: real-time fraud scoring on Kafka.

Imports point inwards: ``domain``, ``features`` and ``scoring`` are the pure core; ``processing`` computes chunks with it;
``streaming`` runs that inside Faust; ``adapters`` talk to the outside; ``commands`` are the command line. The layers are
contracts in pyproject.toml. Start with ``scoring.scorer``, then ``processing.score_chunk``.
"""

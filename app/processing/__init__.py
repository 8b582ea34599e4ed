"""The computation of a chunk: decode, fold, score, encode. Knows no Faust and no Kafka client.

Shared by workers, replay, simulation and batch. Start with ``score_chunk``.
"""

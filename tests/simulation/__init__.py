"""The hot path in one process over brokers and disks that are only pretended, with a crash possible between any two steps.

The code is the service's own: scorer, profile cache, waiting chunks, order of writes, fence, restore. Pretended are what they
stand on: the brokers' logs, RocksDB, the clock and who may go on next, all by one seed.
"""

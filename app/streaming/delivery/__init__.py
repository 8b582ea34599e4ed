"""The guarantee: the order of writes, and what stops a worker that may no longer write.

Start with ``order_of_writes``.
"""

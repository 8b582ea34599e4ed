"""Expressions: conditions and derived values over the columns of a transaction, in text that other people write.

Text becomes tokens, syntax, and a typed tree (``tokens``, ``parser``, ``checker``); only the tree is ever computed, by
closures for one row or by NumPy for a chunk (``program``). Pure; imports only ``app.domain`` and errors. Start with
``program``, then ``tree``.
"""

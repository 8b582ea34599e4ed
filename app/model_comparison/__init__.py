"""Champion and challenger compared on the same transactions, and the gate before a promotion.

Start with ``gate``.
"""

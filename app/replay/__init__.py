"""The log read again: alerts explained, decisions repeated, profiles verified and rebuilt, ranges exported.

Everything runs the workers' own code beside the live system, without a consumer group. Start with ``replay`` and ``explain``.
"""

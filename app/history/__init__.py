"""Files of transactions folded in file order, with labels as they became known: training, batch and evaluation.

Uses the same fold as the stream. Start with ``fold_history``.
"""

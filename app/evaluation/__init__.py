"""How good a model is: figures, pictures and one HTML report, by a bundle, a file of scores or the prequential protocol.

Start with ``run``; formulas and sources are in docs/evaluation.md.
"""

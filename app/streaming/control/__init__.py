"""Changes of models while a worker runs: orders on the control topic, and the checks before a model is used.

Start with ``controller``, which owns the champion and the lineup. ``listener`` runs in a worker and applies orders;
``client`` runs in commands and sends them.
"""

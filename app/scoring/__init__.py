"""From features to decisions: the champion, challengers and canaries, reasons, drift. Pure.

Start with ``scorer``.
"""

"""Profiles of any catalog: what is kept of each event of a customer, and the features of an event among them. Pure and compiled.

The state of a customer is the log of the events that a window can still need; every feature is a function of that log as of one
event. Imports ``app.catalog`` and the arithmetic of ``app.features``. Start with ``plan``, then ``fold``.
"""

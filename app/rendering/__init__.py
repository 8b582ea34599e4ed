"""Decisions, dead letters and tables as text for a console, and the only ways to print on it."""

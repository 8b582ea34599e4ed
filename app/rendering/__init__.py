"""Decisions and dead letters as text for a console."""

"""Faust's consumer, changed to deliver whole chunks instead of single records."""

"""Tests of the catalog: what is refused with which message, what is accepted, digests and differences."""

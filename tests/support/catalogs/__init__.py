"""Catalogs for tests: today's features as a catalog, random ones, and an oracle that computes them with DuckDB."""

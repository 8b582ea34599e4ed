"""The bank's reference tables (customers, terminals) copied from their topics to Redis."""

"""Input data of the benches: Handbook or simulated transactions, customers by the million, profiles, days."""

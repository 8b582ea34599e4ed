"""Random policies, and what they decide by a recount of their own."""

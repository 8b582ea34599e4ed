"""What all tests have in common."""

from hypothesis import settings

# The first use of the fold loads or makes its machine code; no test is about time.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

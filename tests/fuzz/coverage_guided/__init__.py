"""The doors under a fuzzer that is guided by coverage: ``python -m tests.fuzz.coverage_guided --door NAME --seconds S``.

Seeded generators (``tests.fuzz``) never learn what an input reached. libFuzzer, by the package atheris, does: it keeps each input that
reached new branches of ``app`` and changes it further. ``inputs`` turns its bytes into inputs of a door, ``target`` runs in the
process of the fuzzer, ``run`` supervises that process, ``results`` has the committed figures.
"""

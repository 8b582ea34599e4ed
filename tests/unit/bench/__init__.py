"""The harness, the contestants and the pages of the benchmarks."""

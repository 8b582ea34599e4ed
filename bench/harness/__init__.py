"""The harness of a run: brokers, contestants as processes, load at a rate, latencies, memory, and result files."""

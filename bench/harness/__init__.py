"""How a run is made: brokers, contestants as processes, load at a rate, latencies, memory, and result files."""

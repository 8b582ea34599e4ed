"""Workers while something fails: brokers, clocks, processes, versions."""

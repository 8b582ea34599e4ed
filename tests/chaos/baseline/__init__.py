"""Stock Faust under the same faults: what the guarantee is worth."""

"""Stock Faust under the same faults, for comparison."""

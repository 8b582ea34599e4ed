"""Laws of cases: transitions, grouping, suppression, priority."""

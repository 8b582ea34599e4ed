"""Commands of the operator: run, configure and examine an installation."""

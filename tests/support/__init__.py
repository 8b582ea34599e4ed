"""Shared by several kinds of tests: deployments, workers, servers, and oracles that share no code with the service."""

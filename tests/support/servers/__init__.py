"""Servers that tests start themselves: Redis, a secured broker, Prometheus, a span collector, a TLS proxy."""

"""Logs, metrics and traces of a process, and the HTTP server that scrapers and probes ask."""

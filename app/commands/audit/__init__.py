"""Commands that read the log again: explain alerts, replay decisions, verify profiles, report a day."""

"""Commands on what flows in and out: topics, schemas, traffic, labels, alerts, dead letters."""

"""Cases in a real Postgres, fed by a real Kafka."""

"""Changes that every Kafka client of the process gets, because aiokafka has no setting for them. They import aiokafka only."""

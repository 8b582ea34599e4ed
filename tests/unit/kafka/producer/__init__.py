"""BatchProducer, with a fake of the Kafka client."""

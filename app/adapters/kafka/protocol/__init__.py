"""Kafka requests that aiokafka has no encoding for, each in one module with its version."""

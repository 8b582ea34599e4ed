"""Bytes as Kafka stores and sends them."""

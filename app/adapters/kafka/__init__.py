"""Kafka through aiokafka: clients, security, administration, and two readers that need no consumer group.

Start with ``batch_producer`` (how records are sent) and ``security`` (how every client authenticates). ``protocol`` holds
the requests that aiokafka lacks.
"""

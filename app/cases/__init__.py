"""Cases: the alerts of a customer as one piece of work, with states, grouping, suppression and priority.

Pure: no database, Kafka or clock; imports app.domain only. Start with ``case``, then ``transitions`` (what an analyst does) and
``grouping`` (what arrives by the topics).
"""

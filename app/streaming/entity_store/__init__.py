"""Entity state between workers: published to Redis by the role ``entities``, looked up by the role ``risk``."""

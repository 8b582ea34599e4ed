"""The Java programs of the local stack: jars by lock file, and the command that runs them."""

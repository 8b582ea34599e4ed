"""What several kinds of tests share: deployments, workers, servers, and oracles that share no code with the service."""

"""Makes the tables and pictures of docs/performance.md and docs/operate/sizing.md from result files."""

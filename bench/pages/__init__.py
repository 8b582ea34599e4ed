"""From result files to the tables and pictures of docs/performance.md and docs/operate/sizing.md."""

"""The Helm chart of deploy/helm: its schema, its rendered output, and the programs that check it."""

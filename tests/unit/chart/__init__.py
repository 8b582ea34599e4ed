"""The Helm chart and the plain manifests rendered from it."""

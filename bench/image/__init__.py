"""The container image: built by buildah from a base that debootstrap makes, run by runc, and timed: ``python -m bench.image``."""

"""Model bundles: a manifest, a skops file, golden rows; checked before anything is loaded.

Start with ``bundles``. ``backends`` chooses the code that scores a model, ``estimators`` adapts scikit-learn's classes.
"""

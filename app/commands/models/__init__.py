"""Commands of the data scientist: train, measure, score files, promote and compare models."""

"""The classes that a user holds: models, fits, prior draws, comparisons and plans."""

"""What a user holds: `Model` and `Fit`."""

"""The coordinates in which a posterior is sampled, chosen at its mode."""

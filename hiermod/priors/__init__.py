"""Prior distributions as data: what is known of each, and how their text is read."""

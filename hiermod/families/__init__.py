"""Response families and links: a record of each, which every other room reads."""

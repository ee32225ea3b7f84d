"""What the data's own engine is asked, and in which words, so that large data stays where it is."""

"""What the engine that holds a large table is asked, in narwhals' words: distinct rows and their number, or moments."""

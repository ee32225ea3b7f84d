"""Compiled code alone; it imports nothing else of hiermod."""

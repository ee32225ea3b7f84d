"""Reads frames: rows to exactly compressed cells."""

"""Compiles the kernels once, keeps the code, and trusts only what this user wrote."""

"""Whose responses a question averages, and the averages: from arguments to draws of expected responses.

A file here owns one step: reading arguments, choosing rows, laying out cells, computing expected responses.
"""

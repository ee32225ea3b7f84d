"""Exact compression: the rows used, the sufficient statistics of their cells, and the observations behind these."""

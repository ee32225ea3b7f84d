"""Exact compression: from rows to cells with sufficient statistics, and back to the rows behind them."""

"""Whether a model fits its data, and what hangs on its priors."""

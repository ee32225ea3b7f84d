"""Questions about the parameters themselves: coefficients, variance components, hypotheses."""

"""Decisions from answers: verdicts by expected loss, numbers needed to treat, sample-ratio checks."""

"""Tests of trust, run by `make`: hostile input, faults, accuracy, mutants of the code, lines that no test reaches."""

"""Bambi's model of a spec, and specs and draws of Bambi's models."""

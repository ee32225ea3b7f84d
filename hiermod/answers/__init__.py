"""Questions asked of a posterior: draws first, tables last."""

"""The density of a spec as compiled code behind nutpie's sampler: nothing is compiled when a formula or data changes."""

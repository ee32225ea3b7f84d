"""The density of a spec in compiled code, behind nutpie's sampler; nothing is compiled when formulas or data change."""

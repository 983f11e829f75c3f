"""Numbers: arrays in, arrays out; no files, no policy."""

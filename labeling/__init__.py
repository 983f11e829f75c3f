"""Meaning: what a label is, in which layers it stands, and what it says."""

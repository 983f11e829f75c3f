"""The log of who marked what, and when."""

"""Invisible marks."""

"""Label AI-generated media in every layer, and find the labels again.

The public names are loaded on first use, so that importing the package is cheap.
"""

"""Fingerprints: what a picture, sound or video is known by without any mark."""

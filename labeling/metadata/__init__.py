"""The AIGC metadata label, one file per container."""

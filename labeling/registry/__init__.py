"""The registry: from a mark or the content itself back to the manifest."""

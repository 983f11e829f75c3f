"""C2PA: manifests, certificates, trust."""

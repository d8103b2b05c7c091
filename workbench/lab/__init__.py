"""The laboratory: what is measured on signals and detectors, and how far to trust it."""

"""Importers of public recording formats; each format's module is loaded when it is first needed."""

from workbench.frames.importers.importing import import_recording

__all__ = ["import_recording"]

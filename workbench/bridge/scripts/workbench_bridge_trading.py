# Order-Flow Workbench: bridge to notebooks, with orders (off until the box in the add-on's panel is ticked).
# Paste into Bookmap's Python API editor; its custom runtime must be the Python that has the workbench installed.
from workbench.bridge import run

run(trading=True)

# Order-Flow Workbench: bridge to notebooks (data, drawings, messages; sends no orders).
# Paste into Bookmap's Python API editor; its custom runtime must be the Python that has the workbench installed.
from workbench.bridge import run

run()

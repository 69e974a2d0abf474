"""The canvas of KozmoAI in a real browser, by the steps that a user takes.

A test asks for `canvas` and works with nodes:

    loader = canvas.drag("Database Loader")
    loader.set("host", "127.0.0.1")
    loader.press("check")
    assert loader.get("verdict").startswith("PostgreSQL")
    loader.run()
    assert loader.output("Data").rows[0]["id"] == "1"
    canvas.screenshot(pictures / "database-loader.png")

Fields are called as the component's inputs are in the code, components and outputs as on the
canvas.
What the page tells in red where the test did not ask for it raises Refused.
"""

from .grids import Grid
from .node import Node, Running, Shown
from .page import Canvas, Refused, launch, logged_in

__all__ = ["Canvas", "Grid", "Node", "Refused", "Running", "Shown", "launch", "logged_in"]

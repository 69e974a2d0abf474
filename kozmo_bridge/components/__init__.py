"""Components for KozmoAI's canvas; each spawns plug-ins by the runner.

`kozmo components-path` prints the folder for KOZMOAI_COMPONENTS_PATH. Importing this package
imports nothing of the host; its modules import it.
"""

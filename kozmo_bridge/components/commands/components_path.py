"""`kozmo components-path`: where KozmoAI finds our components."""

from __future__ import annotations

import click

from kozmo_bridge.components.stubs import FOLDER

_HELP = """Print the folder with our components for KozmoAI. Put it into the environment of KozmoAI,
and switch the components on:

\b
  export KOZMOAI_COMPONENTS_PATH=$(kozmo components-path)
  export ENABLE_MAGE_INTEGRATIONS=true
  kozmoai-base run
"""


@click.command("components-path", help=_HELP)
def command() -> int:
    """Print the folder."""
    click.echo(str(FOLDER))
    return 0

"""The subcommands of `kozmo`, one module each; its `command` is the click command."""

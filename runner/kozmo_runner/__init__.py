"""The runner: pipes any Singer tap into any Singer target, and keeps their state."""

import sys


def main() -> None:
    """Run the `kozmo` command."""
    # The answer to --version must not wait for any other import.
    if sys.argv[1:] == ["--version"]:
        from kozmo_singer import __version__

        sys.stdout.write(f"kozmo {__version__}\n")
        return
    from kozmo_runner.cli import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))

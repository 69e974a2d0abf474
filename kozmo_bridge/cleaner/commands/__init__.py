"""What the cleaner adds to the `kozmo` command: `profile` and `clean`."""

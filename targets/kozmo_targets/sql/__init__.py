"""SQL targets: one engine, and a module for each database."""

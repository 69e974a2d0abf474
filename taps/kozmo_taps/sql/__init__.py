"""SQL databases: one engine, and one module a system."""

"""SQL databases: settings, connections, names, types and errors, one module a system."""

"""The measurements of benchmarks/cleaner.py."""

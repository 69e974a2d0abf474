"""Files of any format in any store: one engine, and targets that are presets of it."""

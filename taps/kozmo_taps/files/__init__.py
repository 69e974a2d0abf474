"""Files of any format in any store: one engine, and taps that are presets of it."""

"""KozmoAI: the forms that values take in its Data objects, and how rows are handed to a flow."""

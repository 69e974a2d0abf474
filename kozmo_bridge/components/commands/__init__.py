"""Commands of `kozmo` for the components."""

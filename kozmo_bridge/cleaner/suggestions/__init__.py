"""What suggest() looks for: a module a family, each a generator of Suggestions of a profile."""

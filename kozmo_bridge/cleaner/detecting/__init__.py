"""What a column is, by its type, its values and its name. See detect.seen_as."""

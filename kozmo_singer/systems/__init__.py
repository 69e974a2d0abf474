"""What is known of each outside system, for reading and for writing alike."""

"""What every implementation of a kind has to pass: a class for each kind, one rule a test."""

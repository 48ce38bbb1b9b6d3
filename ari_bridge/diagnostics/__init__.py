"""What an operator asks when something is wrong."""

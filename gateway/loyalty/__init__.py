"""What earns: pure rules and their evaluation."""

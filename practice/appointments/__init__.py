"""Times, first meetings and calendar files."""

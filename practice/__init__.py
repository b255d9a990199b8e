"""The rooms people use, one folder per capability."""

"""Forms of the directory, of the application and of each section of a profile."""

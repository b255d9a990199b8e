"""Profiles, licences as declared, weekly hours and the directory."""

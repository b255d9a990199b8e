"""The keys that everything confidential is sealed under."""

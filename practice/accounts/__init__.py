"""Sign-up, sign-in, sessions and roles."""

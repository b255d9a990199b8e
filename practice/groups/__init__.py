"""Groups, sessions, seats, screening and enrolments."""

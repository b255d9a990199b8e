"""What outcomes say of therapists, how sure that is, and whether it came true."""

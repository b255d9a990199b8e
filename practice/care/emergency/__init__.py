"""Opening one client's record without being their therapist: rarely, by rule, never unseen."""

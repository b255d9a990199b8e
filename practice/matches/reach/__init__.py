"""How a therapist was found lately, and what of their own kept others from it."""

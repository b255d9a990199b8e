"""A waiting list placed: nearly the best total with a certificate, and who must not be left out."""

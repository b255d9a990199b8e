"""The client's rights: what is kept, who looked, a copy of everything, and being forgotten."""

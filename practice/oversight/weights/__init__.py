"""New weights: tried out on past lists, told in words and pictures, brought into force."""

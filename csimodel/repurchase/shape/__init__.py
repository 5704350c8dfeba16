"""How repurchase bends with the index."""

"""How well a regression predicts."""

"""The curve by segment."""

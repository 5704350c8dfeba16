"""Random surveys and models through every public call."""

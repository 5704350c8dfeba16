"""The models of the catalogue, by family, and the questions that measure their constructs."""

"""What the paper says in numbers: a module for each of its parts, each with a `part()`."""

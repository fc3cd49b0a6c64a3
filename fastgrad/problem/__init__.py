"""What is asked: a problem, its parameters as named blocks, the data beside them, the claimed gradient."""

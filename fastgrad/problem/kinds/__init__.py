"""The kinds of containers that parameters may come in: each becomes an array, and is made again from one."""

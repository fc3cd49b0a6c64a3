"""Independent tests of a claimed gradient beside the differences: the complex step and the path integral."""

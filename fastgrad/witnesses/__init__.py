"""Independent tests of a gradient: the complex step and the path integral."""

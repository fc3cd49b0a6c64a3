"""All coordinates at once: random directions, what clean ones prove, the search where one is not clean."""

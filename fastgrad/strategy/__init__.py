"""What is checked, and by what means, within the time there is."""

"""The report as one HTML file: no network, readable without scripts."""

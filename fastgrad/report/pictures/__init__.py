"""What the pictures of a report show, as arrays: drawn as SVG by `report.html`, by matplotlib in `plots`."""

"""Small SVG charts for pages, print and notebooks: colour-blind safe, with caption, text alternative and data."""

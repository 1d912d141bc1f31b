"""Web pages for psychometricians and operators."""

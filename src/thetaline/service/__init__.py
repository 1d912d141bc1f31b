"""The HTTP service: parse, call one function, shape the answer."""

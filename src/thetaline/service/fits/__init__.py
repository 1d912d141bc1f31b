"""Fits in processes of their own: a pool of workers, what travels to and from them, the queue of large ones."""

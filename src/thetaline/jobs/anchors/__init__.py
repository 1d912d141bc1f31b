"""Anchor items: their frozen references, the selection of new ones, their verification."""

"""Anchor items: the frozen references, the choice of new ones, their verification against what is published."""

"""Item response theory for learning platforms: calibrate, link, score, and the pipeline that does it every night."""

from importlib.metadata import version

__version__ = version("thetaline")

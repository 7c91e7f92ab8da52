"""Everything that can be computed without a window or a wire: picture, spotting, score and the engines that compose."""

__version__ = "0.1.0"

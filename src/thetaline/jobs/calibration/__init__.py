"""A night's calibration: what is read, the engines that fit it, the gate, what is stored, the anchors of the scale."""

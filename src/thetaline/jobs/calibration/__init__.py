"""The calibration of a night: reading, the engines that fit, the gate, publication."""

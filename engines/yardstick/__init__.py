"""The yardstick: music measured beside real music, with the floor that every engine must beat."""

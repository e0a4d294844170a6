"""How police systems say it: one file per format, bytes to record. Which system says what is data in `mappings/`."""

"""One file a format: how its files are checked, described and read unit by unit."""

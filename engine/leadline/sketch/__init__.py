"""One file a summary: moments, histogram, quantiles, distinct, counts, text, calendar."""

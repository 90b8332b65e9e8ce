"""One module a peer: which columns of two Parquet files it says drifted, by its defaults.

A module imports its peer and the standard library (and pandas or pyarrow, to read), nothing else
of this package but ``loop``: each peer lives in an environment of its own.
"""

"""One module a peer: what it does for each task, run as a process of its own by ``worker.serve``.

A module imports its peer and the standard library (and NumPy or pyarrow, to have something to
read), nothing else of this package but ``worker``: whylogs lives in an environment of its own.
"""

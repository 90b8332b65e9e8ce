"""What Leadline costs, against its peers, in one run.

    python -m benchmarks.run                    every part, into docs/benchmarks.md and the README
    python -m benchmarks.run anchor column      only these parts; prints, writes no documents
    python -m benchmarks.run --quick            small data, a few minutes; prints only
    python -m benchmarks.data FOLDER            only the data (the anchor archive and the columns)

Data and results lie in ``build/bench``, or where ``--data FOLDER`` or ``LEADLINE_BENCH_DATA`` say.

The package reads in the order of the work: ``data`` makes seeded files, ``exact`` what is true of
them, ``peers/`` does the work in processes of its own (``worker`` is the loop inside each of
them), ``environments`` finds their interpreters, ``measure`` lets them take turns, ``parts`` says
who runs against whom, ``promise`` what must come out, ``table`` and ``documents`` show it.
``bench_kernels`` is a suite of pytest-benchmark, ``kernels`` runs it. ``quantile_error`` and
``significance`` measure accuracy, not time, and stand alone; ``verdicts/`` does so for verdicts.
"""

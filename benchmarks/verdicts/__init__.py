"""How often verdicts are wrong, and what they find, beside the peers on the same rows.

    python -m benchmarks.verdicts.run                 every part, into docs/verdicts.md
    python -m benchmarks.verdicts.run alarms --rows 1000     one part, printed and kept
    python -m benchmarks.verdicts.run --quick         few comparisons, printed only

Nothing is simulated from counts: every comparison draws its rows, profiles both sides and judges
them by default settings. The package reads in the order of the work: ``laws`` draws rows and knows
their distribution functions, ``shifts`` finds the change with a given distance, ``pairs`` turns two
tables into evidence and verdicts, ``alarms``, ``power``, ``billion`` and ``beside`` are the parts,
``peers/`` are processes of their own, ``bounds`` says how far a count is to be trusted, and
``pages`` writes the tables.
"""

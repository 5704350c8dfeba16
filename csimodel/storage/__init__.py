"""Results in files: `save` and `load`, a zip of JSON and arrays that runs nothing.

================ =================================================================================
member           what it holds
================ =================================================================================
``format.json``  ``program`` (``"csimodel"``), ``format`` (a whole number), ``package`` (the version
                 that wrote it) and ``kind`` (what it is, such as ``"Fit"``)
``value.json``   ``objects``, each after those it refers to, and ``value``: which of them was saved
``arrays/*.npy`` the arrays, by number, in NumPy's own format without pickled objects
================ =================================================================================

In ``value.json`` texts, whole numbers, truths, null and finite numbers stand for themselves;
everything else is an object with one key that says what it is: ``{"float": "nan"}``,
``{"tuple": […]}``, ``{"dict": [[key, value], …]}``, ``{"array": 3, "axes": [0, 1]}``,
``{"ref": 7}`` for an object of the list. Numbers are written with as many digits as tell them
apart, so what is read equals what was written to the last bit.
"""

from csimodel.storage.file import load, save

__all__ = ["load", "save"]

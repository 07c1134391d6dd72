"""The first start: makes ``.venv`` and installs the locked packages into it. Runs with any Python 3.11+ and nothing else.

``environment`` knows in which state ``.venv`` is, ``lock`` lets one process at a time change it, ``packages`` runs pip and counts what it does, and
``advice`` turns what pip says into a sentence that helps.
"""

"""The exception for bad input."""


class InputError(ValueError):
    """Bad input. Its text is one sentence: what is wrong, with which file, and what to do.

    Commands print the sentence and exit with code 2. In Python it is a ValueError.
    """

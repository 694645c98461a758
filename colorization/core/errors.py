"""The one exception that stands for a mistake of the user or of the input, never of the program."""


class InputError(ValueError):
    """Bad input: its text is one sentence that says what is wrong, with which file, and what to do.

    Command lines print that sentence and exit with code 2; in Python it is an ordinary ValueError.
    """

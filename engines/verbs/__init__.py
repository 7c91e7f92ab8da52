"""The verbs of the command line: each reads its words, calls one function, and gives the answer."""

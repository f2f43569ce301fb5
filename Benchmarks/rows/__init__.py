"""One module a subject; each has `rows(context)`, which returns the rows that it can measure."""

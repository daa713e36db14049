"""From the log to memories: choose, say, check, reconcile.

`clauses` cuts a turn, `gate` chooses, `rewrite` and `say` word, `check` compares, `dates` resolves, `keys` names,
`align` ties to the words, `choices` reads two turns together, `reconcile` decides, `pipeline` runs them in order and
`worker` takes the jobs. `english` and `words` are what they share of the language.
"""

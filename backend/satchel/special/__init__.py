"""Which texts touch the special categories: health, politics, religion, sex.

Pure: words (`lexicon`, with its tables `english` and `chinese`) and sentence vectors (`judge`) in, categories out.
"""

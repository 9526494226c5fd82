"""How loggers, terminals and tracing tools lay bytes out: rows of a hex dump, records cut in parts, folded lines.

One file a layout. Each takes a stretch of bytes and gives back what it stood for, with the map back.
"""

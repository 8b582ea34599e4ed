"""What a bundle of others is checked for before anything in it is allocated, created or run.

Start with ``archive`` (sizes), then ``schema`` (types), then ``estimators`` (what native code would walk). No module here reads
a file except ``bounded_file``.
"""

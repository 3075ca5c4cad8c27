"""Make, mend and list a person's conda environments on scratch, as that person.

A leaf: standard library only, but for `backends/rattler.py` (py-rattler) and
`kernel_start.py` (jupyter_client). It runs from the site's own Python and never from
one of the environments that it looks after, so none of them can break it.
"""

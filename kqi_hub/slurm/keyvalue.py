"""Lines such as `NodeName=n1 State=IDLE Reason=any text [root@1795252551]`.

`scontrol` prints them. Slurm's own fields come first and have no blanks in their
values; text that administrators wrote comes last. So the first `key=` is Slurm's, and
one inside a reason is only words.
"""


def value_of(line: str, key: str, default: str = "") -> str:
    """Return the value up to the next blank, of the first such key."""
    mark = f" {key}="
    start = line.find(mark)
    if start < 0:
        return default
    start += len(mark)
    end = line.find(" ", start)
    return line[start:] if end < 0 else line[start:end]


def records(answer: bytes, first_key: str) -> list[bytes]:
    """Return an answer's records, each beginning with a blank.

    A record that an administrator's newline breaks in two is put together again.
    """
    mark = b"\n" + first_key.encode() + b"="
    found = (b"\n" + answer.strip(b"\n")).split(mark)
    return [b" " + mark[1:] + record.rstrip() for record in found[1:]]


def without(record: bytes, keys: tuple[bytes, ...]) -> bytes:
    """Return a record without the values of some keys, to compare it by the rest."""
    for key in keys:
        start = record.find(key)
        if start >= 0:
            end = record.find(b" ", start + 1)
            record = record[:start] + (record[end:] if end >= 0 else b"")
    return record

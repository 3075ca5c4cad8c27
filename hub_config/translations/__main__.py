"""Bring the catalogues up to date with the code: `python -m hub_config.translations`.

New texts come in without a translation, texts that are gone go. What it prints says how
many are left to translate; tests/unit/handlers/test_translations.py fails until there
is none.
"""

import sys
from pathlib import Path

from hub_config.translations.catalogues import (
    ROOT,
    TRANSLATED,
    read_catalogue,
    texts_in,
    updated,
    write_catalogue,
)


def main(root: Path = ROOT) -> int:
    """Update every catalogue."""
    texts = texts_in(root)
    for language in TRANSLATED:
        catalogue = updated(read_catalogue(language), texts)
        write_catalogue(language, catalogue)
        left = sum(1 for message in catalogue if message.id and not message.string)
        sys.stdout.write(f"{language}: {len(texts)} texts, {left} to translate\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

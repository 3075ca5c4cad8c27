"""docs/operators/settings.md says what the model says."""

from pathlib import Path

from kqi_hub.settings.reference import reference

PAGE = Path(__file__).parents[3] / "docs/operators/settings.md"


def test_the_settings_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference(), (
        "run: python -m kqi_hub.settings.reference > docs/operators/settings.md"
    )

"""What the form of a group of engines may say, and how the profile is told."""

import pytest

from kqi_hub.session.clusters import BadWish, Wish, read_wish


def test_empty_fields_are_left_to_the_profile() -> None:
    wish = read_wish({"engines": " 4 ", "queue": "", "tenant": " ", "minutes": ""})
    assert wish == Wish(4, 1)
    assert wish.variables() == {"KQI_ENGINES_NODES": "1"}


def test_whole_form_reaches_the_profile() -> None:
    form = {
        "engines": "8",
        "nodes": "2",
        "queue": "v100",
        "tenant": "vision",
        "cpus": "4",
        "memory_mb": "2048",
        "gpus": "0",
        "minutes": "30",
        "kernel": "conda-notebook",
    }
    assert read_wish(form).variables() == {
        "KQI_ENGINES_QUEUE": "v100",
        "KQI_ENGINES_TENANT": "vision",
        "KQI_ENGINES_NODES": "2",
        "KQI_ENGINES_CPUS": "4",
        "KQI_ENGINES_MEMORY_MB": "2048",
        "KQI_ENGINES_GPUS": "0",
        "KQI_ENGINES_MINUTES": "30",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engines", "0"),
        ("engines", "\uff14"),
        ("engines", "4\x00"),
        ("nodes", "1;id"),
        ("gpus", "65"),
        ("queue", "-p"),
        ("queue", "cpu\n#SBATCH --uid=0"),
        ("queue", "{n}"),
        ("tenant", "a b"),
        ("tenant", "é"),
    ],
)
def test_field_that_cannot_be_is_named(field: str, value: str) -> None:
    with pytest.raises(BadWish) as refused:
        read_wish({"engines": "1"} | {field: value})
    assert refused.value.field_name == field

"""What a log is saved as says of what it is."""

import pytest

from kqi_hub.domain.job_logs import saved_log_name


@pytest.mark.parametrize(
    ("kind", "numbers", "name"),
    [
        ("training", (12,), "training_stdout_stderr_12.log"),
        ("inference", (3,), "inference_stdout_stderr_3.log"),
        ("notebook", (4,), "notebook_stdout_stderr_4.log"),
        ("preprocessing", (5, 61), "preproc_stdout_stderr_5_61.log"),
    ],
)
def test_a_log_is_saved_under_kind_and_number(
    kind: str, numbers: tuple[int, ...], name: str
) -> None:
    assert saved_log_name(kind, *numbers) == name

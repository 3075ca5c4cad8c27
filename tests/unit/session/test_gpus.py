"""Whether the session computes on a GPU."""

from kqi_hub.session.gpus import working_processes

PMON = """\
# gpu        pid  type    sm   mem   enc   dec   command
# Idx          #   C/G     %     %     %     %   name
    0      11111     C    87    40     -     -   python
    0      22222     C     0    12     -     -   python
    1      33333     C     -     -     -     -   python
    2          -     -     -     -     -     -   -
    3      11111     C    12     3     -     -   python
"""


def test_process_that_computes_counts_once_however_many_gpus_it_has() -> None:
    assert working_processes(PMON, {11111, 22222, 33333}) == 1


def test_memory_that_is_held_without_computing_does_not_count() -> None:
    assert working_processes(PMON, {22222, 33333}) == 0


def test_other_peoples_processes_on_a_shared_gpu_do_not_count() -> None:
    assert working_processes(PMON, {44444}) == 0


def test_answer_that_says_nothing_counts_nothing() -> None:
    assert working_processes("No devices were found\n", {1}) == 0

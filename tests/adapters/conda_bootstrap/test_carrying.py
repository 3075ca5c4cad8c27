"""What pip had added is copied into the new environment; nothing else is."""

from pathlib import Path

from conda_bootstrap.carrying import carry_over
from conda_bootstrap.places import Places
from tests.adapters.conda_bootstrap.pretend import (
    LIBRARY,
    add_distribution,
    pretend_environment,
    pretend_foreign,
)


def test_files_of_a_distribution_are_copied_with_its_commands(tmp_path: Path) -> None:
    old = pretend_environment(Places(tmp_path), "old")
    (old / LIBRARY / "seaborn.py").write_text("new = 1")
    (old / "bin/seaborn").write_text("#!/x/bin/python")
    (old / LIBRARY / "untold.py").touch()
    record = "seaborn.py,,\nseaborn-1.dist-info/RECORD,,\n../../../bin/seaborn,,\n"
    add_distribution(old, "seaborn", "1", record=record)
    stage = pretend_foreign(tmp_path / "stage")
    assert carry_over(old, stage) == (["seaborn==1"], [])
    assert (stage / LIBRARY / "seaborn.py").read_text() == "new = 1"
    assert (stage / "bin/seaborn").exists()
    assert not (stage / LIBRARY / "untold.py").exists()


def test_record_that_leads_out_of_the_environment_copies_nothing(
    tmp_path: Path,
) -> None:
    old = pretend_environment(Places(tmp_path), "old")
    (tmp_path / "secret").write_text("x")
    up = "../" * 7
    record = f"{up}secret,,\n/etc/passwd,,\nmod.py,,\n"
    (old / LIBRARY / "mod.py").touch()
    add_distribution(old, "evil", "1", record=record)
    stage = pretend_foreign(tmp_path / "deep/er/stage")
    carry_over(old, stage)
    assert (stage / LIBRARY / "mod.py").exists()
    assert not [*tmp_path.glob("deep/**/secret")]
    assert not [*stage.rglob("passwd")]


def test_conda_file_in_the_stage_is_never_replaced(tmp_path: Path) -> None:
    old = pretend_environment(Places(tmp_path), "old")
    (old / LIBRARY / "tornado/__init__.py").write_text("broken by pip")
    add_distribution(old, "tornado", "1", record="tornado/__init__.py,,\n")
    stage = pretend_foreign(tmp_path / "stage")
    carry_over(old, stage)
    assert (stage / LIBRARY / "tornado/__init__.py").read_text() == ""


def test_other_python_or_lost_record_is_left_to_pip(tmp_path: Path) -> None:
    old = pretend_environment(Places(tmp_path), "old")
    add_distribution(old, "a", "1")
    (add_distribution(old, "b", "2") / "RECORD").unlink()
    stage = pretend_foreign(tmp_path / "stage")
    assert carry_over(old, stage) == ([], ["a==1", "b==2"])
    (stage / "lib/python3.11").rename(stage / "lib/python3.12")
    add_distribution(old, "c", "3", record="mod.py,,\n")
    assert carry_over(old, stage) == ([], ["a==1", "b==2", "c==3"])

"""The path of the build is replaced where it may be, and nowhere else."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from conda_bootstrap.prefix_text import replace_everywhere, replace_in_scripts


def test_files_linked_to_the_cache_are_not_touched(tmp_path: Path) -> None:
    built, final = tmp_path / "~aaa", tmp_path / "envs"
    built.mkdir()
    cached = tmp_path / "cached"
    cached.write_text(str(built))
    os.link(cached, built / "shared")
    (built / "own").write_text(str(built))
    assert replace_everywhere(built, built, final) == 1
    assert (built / "own").read_text() == str(final)
    assert cached.read_text() == str(built)


def test_rights_time_and_recorded_checksum_are_right_afterwards(
    tmp_path: Path,
) -> None:
    built, final = tmp_path / "~aaa", tmp_path / "envs"
    tool = built / "bin/tool"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!{built}/bin/python\n")
    tool.chmod(0o755)
    os.utime(tool, (1000, 1000))
    paths = [{"_path": "python-scripts/tool", "sha256_in_prefix": "old"}]
    record = built / "conda-meta/tool-1-0.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"paths_data": {"paths": paths}}))
    replace_everywhere(built, built, final)
    facts = tool.stat()
    assert (facts.st_mode & 0o777, facts.st_mtime) == (0o755, 1000)
    told = json.loads(record.read_text())["paths_data"]["paths"][0]
    assert told["sha256_in_prefix"] == hashlib.sha256(tool.read_bytes()).hexdigest()


def test_paths_that_are_not_equally_long_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="as long"):
        replace_everywhere(tmp_path, tmp_path / "a", tmp_path / "bb")


def test_only_scripts_are_changed_after_pip(tmp_path: Path) -> None:
    built = tmp_path / "stage"
    folder = built / "bin"
    folder.mkdir(parents=True)
    (folder / "tool").write_text(f"#!{built}/bin/python\n")
    (folder / "data").write_text(str(built))
    (folder / "link").symlink_to("tool")
    replace_in_scripts(folder, built, Path("/final"))
    assert (folder / "tool").read_text() == "#!/final/bin/python\n"
    assert (folder / "data").read_text() == str(built)
    assert (folder / "link").is_symlink()

"""The private /etc has what the host shows everybody, and people of its own."""

from pathlib import Path

import pytest

from kqi_hub.devstack.accounts import group_ids, private_accounts, read_groups
from kqi_hub.devstack.etc import copy_host_etc, write_base_files

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
munge:x:103:106::/nonexistent:/usr/sbin/nologin
mysql:x:990:990::/nonexistent:/bin/false
openldap:x:105:107::/var/lib/ldap:/bin/false
someservice:x:989:989::/:/bin/false
slurm:x:64030:64030::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
hana:x:1000:1000:Hana,,,:/home/hana:/bin/bash
alice:x:1001:1001:another Alice:/home/alice:/bin/bash
+::::::
"""
GROUP = """\
root:x:0:
sudo:x:27:hana,alice
munge:x:106:
mysql:x:990:slurm
someservice:x:989:
hana:x:1000:
vision:x:1002:hana
slurm:x:64030:
nogroup:x:65534:
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    etc = tmp_path / "host"
    (etc / "ssl").mkdir(parents=True)
    (etc / "passwd").write_text(PASSWD)
    (etc / "group").write_text(GROUP)
    (etc / "shadow").write_text("root:$6$secret:1::::::\n")
    (etc / "shadow").chmod(0o640)
    (etc / "ssl" / "private").mkdir(mode=0o710)
    (etc / "ssl" / "private" / "host.key").write_text("secret")
    (etc / "ssl" / "site.key").write_text("secret")
    (etc / "ssl" / "site.key").chmod(0o600)
    (etc / "ssl" / "ca.pem").write_text("public")
    (etc / "slurm").mkdir()
    (etc / "slurm" / "slurm.conf").write_text("ClusterName=theirs")
    (etc / "localtime").symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "resolv.conf").write_text("nameserver 192.0.2.1\n")
    (etc / "resolv.conf").symlink_to(tmp_path / "run" / "resolv.conf")
    (etc / "broken").symlink_to("nowhere")
    return etc


@pytest.fixture
def private(host: Path, tmp_path: Path) -> Path:
    etc = tmp_path / "private"
    etc.mkdir()
    (etc / "left-over").write_text("of the last start")
    copy_host_etc(host, etc)
    accounts, groups = private_accounts(host)
    write_base_files(etc, accounts, groups, ("jup01", "cpu01"))
    return etc


def test_what_the_host_keeps_from_people_is_not_copied(private: Path) -> None:
    copied = [path for path in private.rglob("*") if path.is_file()]
    assert not [path for path in copied if b"secret" in path.read_bytes()]
    assert (private / "ssl/ca.pem").read_text() == "public"
    assert not (private / "ssl/private").exists()


def test_a_slurm_of_the_host_does_not_shine_through(private: Path) -> None:
    assert not (private / "slurm").exists()


def test_nothing_of_the_last_start_stays(private: Path) -> None:
    assert not (private / "left-over").exists()


def test_links_stay_links_but_the_resolver_is_read(private: Path) -> None:
    assert str((private / "localtime").readlink()) == "/usr/share/zoneinfo/Asia/Tokyo"
    assert (private / "broken").is_symlink()
    assert (private / "resolv.conf").read_text() == "nameserver 192.0.2.1\n"


def test_people_of_the_host_do_not_exist_inside(private: Path) -> None:
    names = {line.split(":")[0] for line in (private / "passwd").read_text().split()}
    assert "hana" not in names
    assert names >= {"root", "munge", "slurm", "nobody", "alice", "bob", "kqi"}
    assert "sudo:x:27:\n" in (private / "group").read_text()
    assert (private / "passwd").read_text().count("\nalice:") == 1


def test_our_service_users_take_no_number_that_a_daemon_needs(host: Path) -> None:
    accounts, _ = private_accounts(host)
    by_name = {one.name: one.uid for one in accounts}
    assert by_name["mysql"] == 990
    assert by_name["kqi"] == 989
    # Somebody else's number gives way: nothing of that service runs inside.
    assert "someservice" not in by_name
    assert len({one.uid for one in accounts}) == len(accounts)


def test_a_name_of_ours_wins_over_the_hosts_group(private: Path) -> None:
    groups = {one.name: one for one in read_groups(private)}
    assert groups["vision"].gid == 20101
    assert groups["vision"].members == ("alice", "carol", "dave", "erin")
    assert set(group_ids("alice", 20001, groups.values())) == {
        20001,
        20100,
        20101,
        20102,
    }


def test_nobody_has_a_password_of_the_machine(private: Path) -> None:
    lines = (private / "shadow").read_text().splitlines()
    assert {line.split(":")[1] for line in lines} == {"*"}
    assert (private / "shadow").stat().st_mode & 0o777 == 0o600


def test_nodes_are_names_of_this_machine(private: Path) -> None:
    assert (
        "127.0.0.1 localhost kqi-demo jup01 cpu01\n" in (private / "hosts").read_text()
    )

"""How long a login lasts when the directory changes its mind, or says nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kqi_hub.devstack.directory import GROUPS_BASE, PEOPLE_BASE
from tests.cluster.login_lab import API, LoginLab, login_lab, send_form
from tests.cluster.stack import Stack, run_as, wait_until

OPERATE, READ = "custom:kqi:operate", "custom:kqi:read"
HOME = "services/portal/"
# What the portal remembers of an answer of the hub (hub_config.portal_place).
PORTAL_REMEMBERS_S = 30.0


@pytest.fixture
def lab(stack: Stack) -> Iterator[LoginLab]:
    with login_lab(stack) as lab:
        yield lab


def change(entry: str, *lines: str) -> None:
    """Change an entry as the directory's manager."""
    text = "\n".join((f"dn: {entry}", "changetype: modify", *lines, ""))
    ran = run_as(
        *("root", "ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"), input=text
    )
    assert ran.returncode == 0, ran.stderr


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Lock somebody's account as an operator does, for a while."""
    entry, lock = f"uid={name},{PEOPLE_BASE}", "pwdAccountLockedTime"
    change(entry, f"replace: {lock}", f"{lock}: 000001010000Z")
    try:
        yield
    finally:
        change(entry, f"delete: {lock}")


@contextmanager
def without_group(name: str, group: str) -> Iterator[None]:
    """Take somebody out of a group for a while."""
    entry, member = f"cn={group},{GROUPS_BASE}", f"memberUid: {name}"
    change(entry, "delete: memberUid", member)
    try:
        yield
    finally:
        change(entry, "add: memberUid", member)


def look_everybody_up_again(lab: LoginLab, stack: Stack) -> None:
    """Let auth_refresh_age pass: a hub that starts has looked nobody up."""
    stack.restart("hub")
    with lab.door().client() as client:
        wait_until(lambda: client.get("hub/api/").status_code == 200)


def test_a_closed_account_is_out_everywhere_and_in_again_when_it_is_opened(
    lab: LoginLab, stack: Stack
) -> None:
    token, door = lab.log_in("alice").body["token"], lab.door()
    with door.client() as browser:
        code = lab.fresh_device("alice").code()
        send_form(browser, "alice", lab.password["alice"], code)
        browser.get(HOME, follow_redirects=True)
        assert browser.get(HOME).status_code == 200
        with locked("alice"):
            look_everybody_up_again(lab, stack)
            assert door.ask("hub/api/user", token).status_code == 403
            assert browser.get("hub/home").status_code == 302

            def portal_knows() -> bool:
                shut_out = door.ask(f"{API}whoami", token).status_code in {401, 403}
                return shut_out and browser.get(HOME).status_code == 302

            wait_until(portal_knows, PORTAL_REMEMBERS_S + 5)
            refused = lab.door().log_in("alice", lab.password["alice"], code)
            assert refused.status == 403
        assert door.ask("hub/api/user", token).status_code == 200


def test_who_leaves_a_group_loses_what_it_gave(lab: LoginLab, stack: Stack) -> None:
    token, door = lab.log_in("carol", scopes=[READ, OPERATE]).body["token"], lab.door()
    assert OPERATE in door.ask("hub/api/user", token).json()["scopes"]
    with without_group("carol", "kqi-operators"):
        look_everybody_up_again(lab, stack)
        model = door.ask("hub/api/user", token).json()
        assert OPERATE not in model["scopes"]
        assert "kqi-operators" not in model["groups"]
        code = lab.fresh_device("carol").code()
        asked = door.log_in("carol", lab.password["carol"], code, scopes=[OPERATE])
        assert asked.status == 400
    assert lab.log_in("carol", scopes=[OPERATE]).status == 201


def test_who_leaves_the_portals_group_is_out(lab: LoginLab, stack: Stack) -> None:
    token, door = lab.log_in("bob").body["token"], lab.door()
    with without_group("bob", "kqi-users"):
        look_everybody_up_again(lab, stack)
        assert door.ask("hub/api/user", token).status_code == 403
        code = lab.fresh_device("bob").code()
        assert door.log_in("bob", lab.password["bob"], code).status == 403
    assert door.ask("hub/api/user", token).status_code == 200


def test_without_a_directory_people_go_on_working_and_nobody_new_comes_in(
    lab: LoginLab, stack: Stack
) -> None:
    token, door = lab.log_in("alice").body["token"], lab.door()
    stack.hold("slapd")
    look_everybody_up_again(lab, stack)
    assert door.ask("hub/api/user", token).status_code == 200
    assert door.ask(f"{API}whoami", token).json()["name"] == "alice"
    code, began = lab.fresh_device("bob").code(), time.monotonic()
    refused = door.log_in("bob", lab.password["bob"], code)
    assert (refused.status, refused.body["code"]) == (503, "directory-unavailable")
    assert time.monotonic() - began < 2
    stack.release("slapd")
    stack.wait_ready("slapd")
    # Its code was not used up, and nothing was counted against bob.
    assert door.log_in("bob", lab.password["bob"], code).status == 201

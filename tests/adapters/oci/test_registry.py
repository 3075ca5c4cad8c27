"""Asking a registry: who is let in, what is believed, what is said of faults."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from kqi_hub.oci.documents import Blob
from kqi_hub.oci.errors import BadImage, Denied, Missing, RegistryError, Unreachable
from kqi_hub.oci.http import Access
from kqi_hub.oci.registry import Registry
from tests.adapters.oci.fake_registry import (
    MANIFEST,
    FakeRegistry,
    digest_of,
    file_entry,
    layer_of,
    serving,
)

LAYER = layer_of([file_entry("hello", b"hello")])


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with serving(FakeRegistry()) as registry:
        yield registry


def asking(fake: FakeRegistry, password: str = "", user: str = "alice") -> Registry:
    return Registry(Access(fake.url, user, password, timeout_s=5))


def pulled(registry: Registry, digest: str) -> bytes:
    manifest = registry.manifest("team/tool", digest)
    return b"".join(registry.pieces("team/tool", manifest.layers[0]))


@pytest.mark.parametrize("login", ["", "basic", "bearer"])
@pytest.mark.parametrize("is_index", [False, True])
def test_a_tag_is_resolved_and_its_files_are_fetched(
    fake: FakeRegistry, login: str, is_index: bool
) -> None:
    fake.login = login
    whole = fake.add("team/tool", "1.0", [LAYER], is_index=is_index)
    registry = asking(fake, fake.password)
    assert registry.digest("team/tool", "1.0") == whole
    assert pulled(registry, whole) == LAYER


@pytest.mark.parametrize("login", ["basic", "bearer"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_who_is_not_let_in_is_told_where_passwords_are_kept(
    fake: FakeRegistry, login: str, password: str
) -> None:
    fake.login = login
    fake.add("team/tool", "1.0", [LAYER])
    with pytest.raises(Denied, match="Your account, Registries") as caught:
        asking(fake, password).digest("team/tool", "1.0")
    assert "wrong" not in str(caught.value)


def test_a_token_is_asked_for_once(fake: FakeRegistry) -> None:
    fake.login = "bearer"
    whole = fake.add("team/tool", "1.0", [LAYER])
    registry = asking(fake, fake.password)
    for _ in range(3):
        registry.digest("team/tool", whole)
    assert sum(path.startswith("/token") for path in fake.paths()) == 1


def test_a_password_does_not_follow_to_where_files_lie(fake: FakeRegistry) -> None:
    with serving(FakeRegistry()) as store:
        whole = fake.add("team/tool", "1.0", [LAYER])
        store.blobs = fake.blobs
        fake.login, fake.elsewhere = "basic", store.url
        assert pulled(asking(fake, fake.password), whole) == LAYER
        assert [word for _, word in store.asked] == [""]


def test_lists_come_in_pages(fake: FakeRegistry) -> None:
    for name in ("a", "b/c", "d", "e"):
        for tag in ("1", "2", "3"):
            fake.add(name, tag, [LAYER])
    registry = asking(fake)
    assert registry.repositories() == ("a", "b/c", "d", "e")
    assert registry.tags("b/c") == ("1", "2", "3")


def test_what_is_not_there_is_missing(fake: FakeRegistry) -> None:
    registry = asking(fake)
    for ask in (lambda: registry.digest("no/such", "1"), lambda: registry.tags("no")):
        with pytest.raises(Missing):
            ask()


def test_other_contents_than_the_digest_says_are_refused(fake: FakeRegistry) -> None:
    whole = fake.add("team/tool", "1.0", [LAYER])
    other = layer_of([file_entry("hello", b"other")])
    fake.blobs[digest_of(LAYER)] = other[: len(LAYER)].ljust(len(LAYER), b"x")
    with pytest.raises(BadImage, match="other contents"):
        pulled(asking(fake), whole)


def test_another_manifest_than_the_digest_says_is_refused(fake: FakeRegistry) -> None:
    whole = fake.add("team/tool", "1.0", [LAYER])
    evil = fake.add("team/tool", "evil", [layer_of([file_entry("x", b"y")])])
    fake.manifests["team/tool", whole] = fake.manifests["team/tool", evil]
    for ask in (asking(fake).manifest, asking(fake).digest):
        with pytest.raises(BadImage):
            ask("team/tool", whole)


def test_more_bytes_than_announced_are_refused(fake: FakeRegistry) -> None:
    fake.add("team/tool", "1.0", [LAYER])
    with pytest.raises(BadImage, match="longer"):
        list(asking(fake).pieces("team/tool", Blob(digest_of(LAYER), 3)))


def test_a_file_that_breaks_off_can_be_asked_for_again(fake: FakeRegistry) -> None:
    whole = fake.add("team/tool", "1.0", [LAYER])
    fake.breaks_off = 1
    with pytest.raises(Unreachable, match="broke off"):
        pulled(asking(fake), whole)
    assert pulled(asking(fake), whole) == LAYER


@pytest.mark.parametrize(
    "told",
    [
        {"schemaVersion": 1, "fsLayers": []},
        {"schemaVersion": 2, "config": {}, "layers": []},
        {"schemaVersion": 2, "config": {"digest": "sha256:x", "size": 1}, "layers": []},
        {"schemaVersion": 2, "layers": [{"digest": "../../etc/passwd", "size": 1}]},
        {"manifests": [{"platform": {"os": "linux", "architecture": "s390x"}}]},
        {"manifests": "none"},
    ],
)
def test_documents_that_are_no_image_are_refused(
    fake: FakeRegistry, told: dict[str, object]
) -> None:
    whole = fake.put("team/tool", "odd", MANIFEST, told)
    with pytest.raises(RegistryError):
        asking(fake).manifest("team/tool", whole)


def test_a_registry_that_is_not_there_is_said_to_be_unreachable() -> None:
    with ExitStack() as stack:
        taken = stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers
        access = Access(f"http://127.0.0.1:{taken.getsockname()[1]}", timeout_s=2)
        with pytest.raises(Unreachable, match="does not answer"):
            Registry(access).digest("a", "1")


@pytest.mark.parametrize("url", ["file:///etc", "ftp://x", "", "x"])
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(Unreachable):
        Registry(Access(url))


def test_a_password_is_not_sent_where_no_tls_is_spoken(fake: FakeRegistry) -> None:
    fake.login = "bearer"
    registry = Registry(Access(fake.url.replace("http:", "https:"), "a", "b"))
    with pytest.raises(Unreachable):
        registry.tags("a")
    assert fake.asked == []


def test_the_sites_own_certificates_must_be_readable() -> None:
    with pytest.raises(Unreachable, match="certificates"):
        Registry(Access("https://registry.example.org", ca_file="/nowhere"))

"""Public SSH keys: what is taken, and what is said of everything else."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, strategies as st

from kqi_hub.auth.ssh_wire import SshWire
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.ssh_keys import (
    KINDS,
    LONGEST_KEY_NAME,
    PublicKey,
    check_strength,
    key_name,
    public_key,
)
from tests.fakes.account import wire

POINT = bytes(range(32))
CURVE_POINT = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)
RSA = rsa.generate_private_key(65537, 2048)


def line(kind: str, *parts: bytes) -> str:
    content = wire(kind.encode(), *parts)
    return f"{kind} {base64.b64encode(content).decode()}"


def made(
    key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> str:
    public = key.public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def accepted(text: str) -> PublicKey:
    key = public_key(text)
    check_strength(key, SshWire())
    return key


def refusal(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        accepted(text)
    return str(caught.value)


ED25519 = line("ssh-ed25519", POINT)
# From `ssh-keygen -l` over the same line.
KNOWN = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
)


@pytest.mark.parametrize(
    "text",
    [
        ED25519,
        line("sk-ssh-ed25519@openssh.com", POINT, b"ssh:"),
        made(ec.generate_private_key(ec.SECP256R1())),
        made(ec.generate_private_key(ec.SECP384R1())),
        made(ec.generate_private_key(ec.SECP521R1())),
        line("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", CURVE_POINT, b"ssh:"),
        made(RSA),
    ],
    ids=lambda text: str(text).split()[0],
)
def test_every_good_kind_is_taken_without_its_comment(text: str) -> None:
    key = accepted(f"  {text}   me@laptop, ノート \n")
    assert key.line == text
    assert key.kind in KINDS
    assert accepted(text.replace(" ", "\t")) == key


def test_the_fingerprint_is_that_of_ssh_keygen() -> None:
    assert (
        accepted(KNOWN).fingerprint
        == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END", "private key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
        ("-----BEGIN ENCRYPTED PRIVATE  KEY-----", "private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n", "private key"),
        (f"{ED25519}\n-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "ssh-keygen -i"),
        (f'command="rm -rf ~" {ED25519}', "before the key"),
        (f"no-pty,from=10.0.0.1 {ED25519}", "before the key"),
        (f"cert-authority {ED25519}", "before the key"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "certificate"),
        ("sk-ssh-ed25519-cert-v01@openssh.com AAAA", "certificate"),
        (f"{ED25519}\n{KNOWN}", "one line"),
        (f"{ED25519} a\0b", "one line"),
        (f"{ED25519} \u202egnp.exe", "one line"),
        (f"{ED25519} {'x' * 20_000}", "one line"),
        ("", "one line"),
        ("hello", "not a public key"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "not a public key"),
        ("ssh-rsa1 AAAA", "not a public key"),
        ("SSH-ED25519 AAAA", "not a public key"),
        ("ssh-ed25519", "damaged"),
        ("ssh-ed25519 !!!!", "damaged"),
        (ED25519[:-4], "damaged"),
        (ED25519 + "AAAA", "damaged"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa", 1), "damaged"),
        (line("ssh-ed25519", POINT[:31]), "damaged"),
        (line("ssh-ed25519", POINT, b"more"), "damaged"),
        (line("ssh-ed25519"), "damaged"),
        (line("ecdsa-sha2-nistp256", b"nistp384", CURVE_POINT), "damaged"),
        (line("ecdsa-sha2-nistp256", b"nistp256", b"\x04" + bytes(64)), "damaged"),
        (line("ssh-rsa", b"\x01", b"\x00" + b"\xff" * 256), "damaged"),
        (line("ssh-rsa", b"", b""), "damaged"),
        (line("ssh-rsa", b"\x03", b"\x00" + b"\xff" * 127), "2048 to 16384 bits"),
        (line("ssh-rsa", b"\x03", b"\x00" + b"\xff" * 3000), "2048 to 16384 bits"),
        (f"ssh-ed25519 {'A' * 15_000}", "damaged"),
        (ED25519.replace("A", "\uff21"), "damaged"),
    ],
)
def test_what_is_no_good_key_is_refused_with_what_it_is(text: str, said: str) -> None:
    assert said in refusal(text)


def test_a_private_key_is_never_repeated() -> None:
    secret = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"
    text = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n-----END"
    assert secret not in refusal(text)


def test_the_same_key_in_other_letters_is_refused() -> None:
    kind, blob = line("ssh-ed25519", POINT).split()
    # 51 bytes end a group; one byte more leaves bits that mean nothing.
    padded = line("ssh-rsa", b"\x03", b"\x00" + b"\xff" * 257).split()[1]
    assert padded.endswith("=")
    other = padded.rstrip("=")
    other = other[:-1] + chr(ord(other[-1]) + 1) + "=" * (len(padded) - len(other))
    assert "damaged" in refusal(f"ssh-rsa {other}")
    assert "damaged" in refusal(f"{kind} {blob}==")


@given(st.binary(max_size=600), st.sampled_from(KINDS))
def test_no_bytes_do_more_than_be_refused(content: bytes, kind: str) -> None:
    for parts in (content, wire(kind.encode()) + content):
        text = f"{kind} {base64.b64encode(parts).decode()}"
        try:
            accepted(text)
        except InvalidInput:
            continue


@given(st.text(max_size=300))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        accepted(text)


@pytest.mark.parametrize(
    "typed",
    ["laptop", " laptop ", "ノート PC", "a'b\"<c>", "x" * LONGEST_KEY_NAME, "👩‍💻"],
)
def test_names_are_what_people_write(typed: str) -> None:
    assert key_name(typed) == typed.strip()


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "x" * (LONGEST_KEY_NAME + 1),
        "a\nb",
        "a\0b",
        "a\u202eb",
        "a\x7f",
        "\ud800",
    ],
)
def test_names_that_hide_something_are_refused(typed: str) -> None:
    with pytest.raises(InvalidInput, match="64 characters"):
        key_name(typed)

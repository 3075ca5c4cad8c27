"""Whether a public SSH key is one: read by a library that knows the mathematics."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from kqi_hub.domain.ssh_keys import PublicKey


class SshWire:
    """A KeyCheck (domain/ssh_keys.py)."""

    def rsa_bits(self, key: PublicKey) -> int | None:
        """Return an RSA key's size, None for other kinds; ValueError if it is none."""
        try:
            read = load_ssh_public_key(key.line.encode())
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from error
        return read.key_size if isinstance(read, RSAPublicKey) else None

"""What can be wrong with a registry or an image, in words for people."""


class RegistryError(Exception):
    """A registry does not give what it was asked for; the message is for people."""


class Unreachable(RegistryError):
    """It does not answer, or not as a registry does: later it may."""


class Denied(RegistryError):
    """It wants a password, or another one."""


class Missing(RegistryError):
    """It has no such thing, or shows it to others only."""


class BadImage(RegistryError):
    """What it gave is not what it should be; to ask again is of no use."""

"""The kernels on offer: the site's own, and those of the person's environments."""

import time
from pathlib import Path
from typing import Any, ClassVar, Final

from jupyter_client.kernelspec import KernelSpecManager

from kqi_hub.runner.kernels import conda_kernels, publish

# An environment that is made while the notebook runs appears without a restart.
_FRESH_S: Final = 5.0


class KernelSpecs(KernelSpecManager):
    """Looks at the environments again before it lists kernels."""

    environments: ClassVar[Path]
    data: ClassVar[Path]
    _looked_at = 0.0

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the folders of all kernels by name."""
        if time.monotonic() - self._looked_at > _FRESH_S:
            self._looked_at = time.monotonic()
            try:
                publish(conda_kernels(self.environments), self.data)
            except OSError as error:
                self.log.warning("Kernels of environments cannot be shown: %s", error)
        found: Any = super().find_kernel_specs()
        return dict(found)

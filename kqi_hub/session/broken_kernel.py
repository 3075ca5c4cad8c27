"""A kernel in the place of one that cannot start: every cell says why.

`python -I -m kqi_hub.session.broken_kernel -f FILE`, with the text in KQI_BROKEN.
"""

import os
from typing import Any, ClassVar

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

_NAME = "BrokenEnvironment"


class BrokenKernel(Kernel):
    """Runs nothing and explains itself."""

    implementation = "kqi-broken"
    implementation_version = "1"
    banner = "This environment is broken."
    language_info: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # never changed
        "name": "python",
        "mimetype": "text/x-python",
        "file_extension": ".py",
    }

    async def do_execute(
        self, code: str, silent: bool, *_: object, **__: object
    ) -> dict[str, Any]:
        """Answer with the text as an error, which stops "Run all" as well."""
        text = os.environ.get("KQI_BROKEN", self.banner)
        told = {"ename": _NAME, "evalue": text, "traceback": [f"{_NAME}: {text}"]}
        if not silent:
            self.send_response(self.iopub_socket, "error", told)  # type: ignore[no-untyped-call]  # ipykernel says no types
        return {"status": "error", "execution_count": self.execution_count, **told}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=BrokenKernel)

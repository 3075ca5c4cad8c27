"""Entry point of `python -m kqi_hub.devstack`, which ./demo runs."""

from kqi_hub.devstack.command import main

if __name__ == "__main__":
    main()

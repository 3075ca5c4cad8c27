"""The Python client of the REST API: `kqi_hub.sdk.client.Client`.

from kqi_hub.sdk.client import Client

with Client.from_config() as kqi:
    print(kqi.whoami().name)
"""

"""Microsoft's Python SDK against the simulator: creates, lists, renews and deletes a subscription, and reads events."""

import argparse
import asyncio
import queue
import ssl
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import loads
from urllib.parse import parse_qs, urlsplit

import httpx
from azure.identity import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.event import Event
from msgraph.generated.models.subscription import Subscription
from msgraph_core import GraphClientFactory

SCOPES = ["https://graph.microsoft.com/.default"]
PATIENCE_SECONDS = 10


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="the simulator, https://127.0.0.1:4443")
    parser.add_argument("ca_file", help="the authority of its certificate (--ca-file)")
    parser.add_argument("--tenant-id", default="5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10")
    parser.add_argument("--client-id", default="b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7")
    parser.add_argument("--client-secret", default="simulator-client-secret")
    return parser.parse_args()


def graph_client(arguments: argparse.Namespace) -> GraphServiceClient:
    """The SDK's own client and middleware; only host, authority and trust differ from those of the cloud."""
    credential = ClientSecretCredential(
        arguments.tenant_id,
        arguments.client_id,
        arguments.client_secret,
        authority=arguments.url,
        disable_instance_discovery=True,
        connection_verify=arguments.ca_file,
    )
    host = urlsplit(arguments.url).hostname or ""
    authentication = AzureIdentityAuthenticationProvider(credential, scopes=SCOPES, allowed_hosts=[host])
    trust = ssl.create_default_context(cafile=arguments.ca_file)
    client = GraphClientFactory.create_with_default_middleware(client=httpx.AsyncClient(verify=trust))
    adapter = GraphRequestAdapter(authentication, client)
    adapter.base_url = f"{arguments.url}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


class Endpoint(BaseHTTPRequestHandler):
    """Answers Graph's question for the validation token, and takes its notifications."""

    received: "queue.Queue[dict]" = queue.Queue()

    def do_POST(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("validationToken")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if token is None:
            for item in loads(body)["value"]:
                self.received.put(item)
        self.send_response(202 if token is None else 200)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(b"" if token is None else token[0].encode())

    def log_message(self, *_arguments: object) -> None:
        """What arrives is printed by main."""


def in_minutes(minutes: int) -> datetime:
    return datetime.now(timezone.utc) + timedelta(minutes=minutes)


async def subscribe(graph: GraphServiceClient, user_id: str, endpoint_url: str) -> str:
    wish = Subscription(
        change_type="created,updated,deleted",
        notification_url=endpoint_url,
        resource=f"users/{user_id}/events",
        expiration_date_time=in_minutes(60),
        client_state="a secret of the app",
    )
    made = await graph.subscriptions.post(wish)
    assert made is not None and made.id is not None
    print("created    ", made.id, made.resource)
    listed = await graph.subscriptions.get()
    assert listed is not None and made.id in [one.id for one in listed.value or []]
    print("listed     ", len(listed.value or []))
    wish = Subscription(expiration_date_time=in_minutes(120))
    renewed = await graph.subscriptions.by_subscription_id(made.id).patch(wish)
    assert renewed is not None and renewed.expiration_date_time > made.expiration_date_time
    print("renewed    ", renewed.expiration_date_time)
    return made.id


async def hear_of_an_event(graph: GraphServiceClient, user_id: str) -> None:
    events = graph.users.by_user_id(user_id).events
    start = DateTimeTimeZone(date_time="2026-12-01T09:00:00", time_zone="UTC")
    made = await events.post(Event(subject="Budget review", start=start, end=start))
    assert made is not None
    item = await asyncio.to_thread(Endpoint.received.get, timeout=PATIENCE_SECONDS)
    assert item["resourceData"]["id"] == made.id
    print("notified   ", item["changeType"], item["resource"][:60])
    read = await events.by_event_id(item["resourceData"]["id"]).get()
    assert read is not None and read.subject == "Budget review"
    print("read       ", read.subject, read.start.date_time if read.start else None)
    page = await events.get()
    assert page is not None and made.id in [one.id for one in page.value or []]
    print("events     ", len(page.value or []))


async def unsubscribe(graph: GraphServiceClient, subscription_id: str) -> None:
    one = graph.subscriptions.by_subscription_id(subscription_id)
    await one.delete()
    try:
        await one.get()
    except APIError as error:
        assert error.response_status_code == 404
        print("deleted    ", subscription_id)
    else:
        raise AssertionError("The subscription is still there.")


async def main() -> None:
    graph = graph_client(parse_arguments())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    users = await graph.users.get()
    assert users is not None and users.value
    user_id = users.value[0].id or ""
    print("users      ", len(users.value), users.value[0].display_name)
    subscription_id = await subscribe(graph, user_id, f"http://127.0.0.1:{server.server_port}/events")
    await hear_of_an_event(graph, user_id)
    await unsubscribe(graph, subscription_id)


asyncio.run(main())

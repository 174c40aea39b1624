"""Sends events with CloudEvents' own SDK, in every mode it has, and prints what was answered.

    python send.py URL KEY

Version 2 of the SDK carries version 1 along, which does not percent-encode headers: both are sent with.
"""

import json
import sys
from datetime import datetime, timedelta, timezone

import requests
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent as CloudEvent1

URL, KEY = sys.argv[1].rstrip("/"), sys.argv[2]
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
DATA = {"tokens": 3, "model": "small", "note": "Zoë 😀"}
saw = []


def post(step, headers, body):
    headers = {"Authorization": f"Bearer {KEY}", **headers}
    answer = requests.post(f"{URL}/v1/events", headers=headers, data=body, timeout=30)
    saw.append({"step": step, "status": answer.status_code, "body": answer.json()})


def attributes(id, **others):
    must = {"id": id, "source": "/sdk/cloudevents python", "type": "sdk.call", "wallet": "sdk-cloudevents-python"}
    return {**must, "subject": "Zoë 100%", "time": AT, **others}


def binary(event):
    message = to_binary_event(event)
    post(f"{event.get_id()}, binary", message.headers, message.body)


def structured(event):
    message = to_structured_event(event)
    post(f"{event.get_id()}, structured", message.headers, message.body)


def in_pieces(body):
    """A body whose length the HTTP library cannot know."""
    yield body[:10]
    yield body[10:]


def version_2():
    binary(CloudEvent(attributes("1"), DATA))
    binary(CloudEvent(attributes("1"), DATA))
    structured(CloudEvent(attributes("2"), DATA))
    binary(CloudEvent(attributes("3", subject='€ "quoted"', datacontenttype="application/json"), DATA))
    binary(CloudEvent(attributes("4", datacontenttype="text/plain"), "seven"))
    octets = CloudEvent(attributes("5", datacontenttype="application/octet-stream"), b"\x00\xff")
    binary(octets)
    structured(octets)
    good = [JSONFormat().write(CloudEvent(attributes(f"6-{n}"), DATA)) for n in range(2)]
    media = "application/cloudevents-batch+json; charset=utf-8"
    batch = b"[" + b",".join([good[0], b'{"specversion":"1.0","id":"bad"}', good[1]]) + b"]"
    post("6, batched", {"content-type": media}, batch)


def version_1():
    # The HTTP library writes headers in Latin-1, and refuses what is not in it.
    def event(id, data):
        return CloudEvent1(attributes(id, subject="Zoë", time=AT.isoformat()), data)

    post("7, binary", *to_binary(event("7", DATA)))
    post("8, structured", *to_structured(event("8", DATA)))
    post("9, structured", *to_structured(event("9", b"\x00\xff")))
    headers, body = to_binary(event("10", DATA))
    post("10, binary", headers, in_pieces(body))


version_2()
version_1()
json.dump(saw, sys.stdout, indent=1)

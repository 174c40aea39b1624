"""Sends events and asks for access with OpenMeter's SDK, and prints what it made of the answers.

    python send.py URL KEY

The wallet `sdk-openmeter-python` is to have credits for the feature `calls`, and `sdk.call` a price.
"""

import asyncio
import json
import sys
from datetime import datetime, timedelta, timezone

from corehttp.exceptions import HttpResponseError
from openmeter import Client
from openmeter.aio import Client as AsyncClient
from openmeter.models import Event

URL, KEY = sys.argv[1].rstrip("/"), sys.argv[2]
PAYER, FEATURE = "sdk-openmeter-python", "calls"
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
saw = []


def event(id, **others):
    must = {"id": id, "source": "sdk", "specversion": "1.0", "type": "sdk.call", "subject": PAYER}
    return Event(**{**must, "time": AT, "data": {"tokens": 3, "note": "Zoë 😀"}, **others})


def error_of(error):
    """What a product can learn from an error."""
    problem = error.response.json() if error.response is not None else None
    return {"error": type(error).__name__, "status": error.status_code, "problem": problem}


def value_of(answer):
    return answer.as_dict() if answer is not None else None


def see(step, call):
    try:
        saw.append({"step": step, "answer": value_of(call())})
    except HttpResponseError as error:
        saw.append({"step": step, **error_of(error)})


async def see_async(step, call):
    try:
        saw.append({"step": step, "answer": value_of(await call)})
    except HttpResponseError as error:
        saw.append({"step": step, **error_of(error)})


def main(client):
    see("event", lambda: client.events.ingest_event(event("1")))
    see("again", lambda: client.events.ingest_event(event("1")))
    see("no time, no data", lambda: client.events.ingest_event(event("2", time=None, data=None)))
    see("batch", lambda: client.events.ingest_events([event("3"), event("4")]))
    see("json", lambda: client.events.ingest_events_json(event("5")))
    see("json batch", lambda: client.events.ingest_events_json([event("6"), event("7")]))
    see("bad", lambda: client.events.ingest_event(event("bad", specversion="0.3")))
    see("one bad", lambda: client.events.ingest_events([event("8"), event("bad", specversion="0.3")]))
    value = client.customer_entitlement.get_customer_entitlement_value
    see("value", lambda: value(PAYER, FEATURE))
    see("value, version 2", lambda: client.customer_entitlement_v2.get_customer_entitlement_value(PAYER, FEATURE))
    see("value at a time", lambda: value(PAYER, FEATURE, time=AT))
    see("value of no feature", lambda: value(PAYER, "no such feature"))
    see("value of nobody", lambda: value("nobody/at all", FEATURE))
    see("access", lambda: client.customer.get_customer_access(PAYER))
    see("access of nobody", lambda: client.customer.get_customer_access("nobody"))


async def main_async():
    async with AsyncClient(endpoint=URL, token=KEY) as client:
        await see_async("event, async", client.events.ingest_event(event("9")))
        value = client.customer_entitlement.get_customer_entitlement_value
        await see_async("value, async", value(PAYER, FEATURE))
        await see_async("access of nobody, async", client.customer.get_customer_access("nobody"))


with Client(endpoint=URL, token=KEY) as client:
    main(client)
with Client(endpoint=URL, token=f"{KEY}x") as client:
    see("another key", lambda: client.events.ingest_event(event("10")))
    see("access with another key", lambda: client.customer.get_customer_access(PAYER))
asyncio.run(main_async())
json.dump(saw, sys.stdout, indent=1)

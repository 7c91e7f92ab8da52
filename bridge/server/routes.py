"""The routes, made from the table of addresses: GET for what changes nothing, POST for what does, and the events."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from bridge.address import Address
from bridge.addresses import ASKED
from bridge.calls import answer
from bridge.events import LOG
from bridge.jobs import error_json, fault
from bridge.osc_page import osc_page
from bridge.server.feed import Feed
from bridge.server.hands import beside
from bridge.studio import Studio
from bridge.wire_words import argument_said
from engines import __version__
from engines.errors import HitpointError, OptionError

_ABOUT = """The studio of Hitpoint, for programs of this machine. What changes anything wants the header `Authorization: Bearer TOKEN`.
Long work answers with a job; its progress comes over the WebSocket `/hitpoint/events` (`?only=job,session,transport,film,message`),
and its result from `/hitpoint/job`. An error is `{"error", "where", "cure"}`; then nothing has changed."""

SCHEME = "token"
"""What the scheme of authorization is called in the description."""

_ABOUT_SCHEME = "New with every start: `serve` says it, and the file in which it lies, which only you can read."


def app_of(studio: Studio) -> FastAPI:
    """The studio as a web application, without its guard (`bridge.server.guard`)."""
    app = FastAPI(title="Hitpoint", version=__version__, description=_ABOUT, docs_url=None, redoc_url=None)
    for row in ASKED:
        if row.wire == "both":
            app.add_api_route(
                row.address,
                _endpoint(studio, row),
                methods=["POST" if row.changes else "GET"],
                summary=row.what,
                response_description=f"{row.answer[:1].upper()}{row.answer[1:]}.",
                operation_id=row.address.removeprefix("/hitpoint/").replace("/", "_"),
                openapi_extra={"security": [{SCHEME: []}]} if row.changes else None,
                responses={400: {"description": "What was asked cannot be: error, where, cure."}},
            )
    feed = Feed(studio)
    app.state.feed = feed

    @app.websocket("/hitpoint/events")
    async def events(socket: WebSocket, only: str = "") -> None:
        await feed.serve(socket, frozenset(filter(None, only[:200].split(","))))

    @app.get("/", response_class=PlainTextResponse, include_in_schema=False)
    async def page() -> str:
        return osc_page()

    described = app.openapi

    def openapi() -> dict[str, Any]:
        table = described()
        table.setdefault("components", {})["securitySchemes"] = {
            SCHEME: {"type": "http", "scheme": "bearer", "description": _ABOUT_SCHEME}
        }
        return table

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown)
    return app


def _endpoint(studio: Studio, row: Address) -> Callable[..., Awaitable[JSONResponse]]:
    async def call(given: Any = None) -> JSONResponse:
        return await beside(lambda: answered({} if given is None else given.model_dump()))

    def answered(given: dict[str, Any]) -> JSONResponse:
        try:
            return JSONResponse(answer(studio, row.address, given))
        except HitpointError as refused:
            return JSONResponse(error_json(refused), 400 if isinstance(refused, OptionError) else 409)
        except Exception as unforeseen:  # noqa: BLE001  told in one line and logged; the server lives on
            LOG.exception("%s failed", row.address)
            return JSONResponse(error_json(fault(unforeseen)), 500)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    if not row.arguments:
        given = []
    elif not row.changes:
        given = [inspect.Parameter("given", kind, annotation=Annotated[row.model, Query()])]
    else:
        free = not any(argument.needed for argument in row.arguments)
        default = row.model() if free else inspect.Parameter.empty
        given = [inspect.Parameter("given", kind, annotation=Annotated[row.model, Body()], default=default)]
    call.__signature__ = inspect.Signature(given)  # type: ignore[attr-defined]
    call.__name__ = row.address.removeprefix("/hitpoint/").replace("/", "_")
    return call


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    told = argument_said(error.errors()[0], skip=1)
    return JSONResponse({"error": told, "where": request.url.path[:200], "cure": "/openapi.json says what it takes"}, 422)


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    told = {"error": str(error.detail), "where": request.url.path[:200], "cure": "/openapi.json lists what there is"}
    return JSONResponse(told, error.status_code, dict(error.headers or {}))

"""Wait for an answer as long as its client does."""

import asyncio
from concurrent.futures import Future
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

T = TypeVar("T")
# Longer than any request within the limits takes.
_PATIENCE_S = 60
_CLIENT_LEFT = 499  # nginx's status; no client sees it


async def answer_while_wanted(request: Request, future: "Future[T]") -> T:
    """The result of a future. If the request's client leaves first, the future is cancelled. Receive the body first.

    Raises:
        HTTPException: the client has left, or it takes too long.
    """
    answer = asyncio.wrap_future(future)
    gone = asyncio.create_task(_gone(request))
    try:
        both: list[asyncio.Future[Any]] = [answer, gone]
        done, _ = await asyncio.wait(both, timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if answer in done:
            return answer.result()
        if gone in done:
            raise HTTPException(_CLIENT_LEFT, "the client has left")
        raise HTTPException(503, f"not read within {_PATIENCE_S} s; try again", {"Retry-After": "1"})
    finally:
        answer.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

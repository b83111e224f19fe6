"""Addresses that permit one thing with one object of a bucket for a while: AWS's Signature Version 4, in a query.

obstore signs, too, but neither headers nor what an answer is to be called: an upload could then bring other bytes than
were announced.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_EMPTY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Signer:
    """Sign addresses of one bucket.

    Args:
        root: the bucket's address, `https://farm.s3.example.org` or `https://s3.example.org/farm`.
        region: the bucket's.
        key: access key.
        secret: the key's.
        token: of a key that holds for some hours only; empty: it holds for good.
    """

    root: str
    region: str
    key: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    def address(
        self,
        method: str,
        name: str,
        seconds: int,
        at: datetime | None = None,
        headers: Mapping[str, str] = _EMPTY,
        query: Mapping[str, str] = _EMPTY,
    ) -> str:
        """Return an address by which one may do `method` with the object `name`, and nothing else.

        Args:
            method: GET or PUT.
            name: the object's.
            seconds: for how long; the time at which a request begins counts.
            at: the time; None: now.
            headers: what the request must have, exactly so; names in lower case.
            query: more of the request.
        """
        now = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        place = urlsplit(self.root)
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        signed = {"host": place.netloc, **headers}
        names = ";".join(sorted(signed))
        asked = {
            **query,
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self.key}/{scope}",
            "X-Amz-Date": now,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": names,
            **({"X-Amz-Security-Token": self.token} if self.token else {}),
        }
        path = f"{place.path}/{quote(name)}"
        said = "&".join(f"{_escaped(word)}={_escaped(value)}" for word, value in sorted(asked.items()))
        lines = "".join(f"{word}:{signed[word].strip()}\n" for word in sorted(signed))
        request = "\n".join([method, path, said, lines, names, "UNSIGNED-PAYLOAD"])
        digest = hashlib.sha256(request.encode()).hexdigest()
        signature = self._seal(now[:8], "\n".join([_ALGORITHM, now, scope, digest]))
        return f"{place.scheme}://{place.netloc}{path}?{said}&X-Amz-Signature={signature}"

    def _seal(self, day: str, text: str) -> str:
        sealed = f"AWS4{self.secret}".encode()
        for word in (day, self.region, "s3", "aws4_request", text):
            sealed = hmac.digest(sealed, word.encode(), "sha256")
        return sealed.hex()


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")

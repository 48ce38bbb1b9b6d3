"""A tiny S3-compatible store over HTTP that checks signatures, with knobs to make it fail.

    async with FakeS3() as s3:
        s3.refuse = 503               # every request
        store = S3Store(Bucket(s3.bucket, "calls"), StoreKeys(s3.url, s3.region, s3.key, s3.secret))

`objects` holds what is kept, by key; `requests` what was asked, in order.
"""

import asyncio
import hashlib
import hmac
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Self
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FakeS3:
    bucket = "recorded-calls"
    region = "eu-test-1"
    key = "AKTEST"
    secret = "only in this test"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}  # by upload id, of uploads that are not complete
        self.requests: list[tuple[str, str]] = []  # method and key
        self.page = 1000  # keys in one answer to a listing
        self.refuse = 0  # HTTP status for every request; 0: none
        self.garble = False  # what is put is kept with one byte changed
        self.cut = False  # connections are cut in the middle of an object, both ways
        self.hang = False  # nothing is answered
        self._uploads = 0
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", f"/{self.bucket}", self._of_bucket)
        app.router.add_route("*", f"/{self.bucket}/{{key:.*}}", self._of_object)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Out of reach; `start` brings it back on the same port, with what it had."""
        await self._runner.cleanup()

    def count(self, method: str) -> int:
        return [asked for asked, _ in self.requests].count(method)

    def asked_for(self, key: str) -> bool:
        """Whether anybody has asked for an object whose key begins so."""
        return any(asked.startswith(key) for _, asked in self.requests)

    async def _of_bucket(self, request: web.Request) -> web.StreamResponse:
        await self._check(request, "")
        if request.method == "POST" and "delete" in request.query:
            return self._delete_many(await request.text())
        prefix, after = request.query.get("prefix", ""), request.query.get("continuation-token", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        shown = keys[: self.page]
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size>"
            f'<LastModified>{NOW:%Y-%m-%dT%H:%M:%S.000Z}</LastModified><ETag>"{_tag(self.objects[key])}"</ETag></Contents>'
            for key in shown
        )
        more = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if len(shown) < len(keys) else ""
        truncated = "true" if more else "false"
        return _xml(f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{items}</ListBucketResult>")

    def _delete_many(self, asked: str) -> web.Response:
        keys = [found.text or "" for found in ElementTree.fromstring(asked).iter() if found.tag.endswith("Key")]
        for key in keys:
            self.objects.pop(key, None)
        return _xml(
            f"<DeleteResult>{''.join(f'<Deleted><Key>{escape(key)}</Key></Deleted>' for key in keys)}</DeleteResult>"
        )

    async def _of_object(self, request: web.Request) -> web.StreamResponse:
        key = unquote(request.match_info["key"])
        await self._check(request, key)
        match request.method:
            case "PUT":
                return await self._put(request, key)
            case "POST":
                return await self._multipart(request, key)
            case "DELETE":
                self.parts.pop(request.query.get("uploadId", ""), None)
                if "uploadId" not in request.query:
                    self.objects.pop(key, None)
                return web.Response(status=204)
            case _:
                return await self._get(request, key)

    async def _put(self, request: web.Request, key: str) -> web.Response:
        if self.cut:
            await request.content.readany()
            return self._hang_up(request)
        data = await request.read()
        if hashlib.sha256(data).hexdigest() != request.headers["X-Amz-Content-Sha256"]:
            return _error(400, "XAmzContentSHA256Mismatch")
        if self.garble:
            data = bytes([data[0] ^ 1]) + data[1:]
        if upload := request.query.get("uploadId"):
            self.parts[upload][int(request.query["partNumber"])] = data
        else:
            self.objects[key] = data
        return web.Response(headers={"ETag": f'"{_tag(data)}"'})

    async def _multipart(self, request: web.Request, key: str) -> web.Response:
        if "uploads" in request.query:
            self._uploads += 1
            self.parts[str(self._uploads)] = {}
            return _xml(
                f"<InitiateMultipartUploadResult><UploadId>{self._uploads}</UploadId></InitiateMultipartUploadResult>"
            )
        parts = self.parts.pop(request.query["uploadId"])
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        tag = _tag(self.objects[key])
        return _xml(f'<CompleteMultipartUploadResult><ETag>"{tag}"</ETag></CompleteMultipartUploadResult>')

    async def _get(self, request: web.Request, key: str) -> web.StreamResponse:
        data = self.objects.get(key)
        if data is None:
            return _error(404, "NoSuchKey")
        wanted = request.http_range
        part = data[wanted]
        headers = {"ETag": f'"{_tag(data)}"', "Last-Modified": format_datetime(NOW, usegmt=True)}
        status = 200
        if "Range" in request.headers:
            if not part:
                return _error(416, "InvalidRange")
            status, begin = 206, wanted.indices(len(data))[0]
            headers["Content-Range"] = f"bytes {begin}-{begin + len(part) - 1}/{len(data)}"
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = len(part)
        await response.prepare(request)
        if request.method != "HEAD":
            if self.cut:
                await response.write(part[: len(part) // 2])
                self._hang_up(request)
            else:
                await response.write(part)
        return response

    def _hang_up(self, request: web.Request) -> web.Response:
        assert request.transport
        request.transport.close()
        return web.Response()

    async def _check(self, request: web.Request, key: str) -> None:
        self.requests.append((request.method, key))
        if self.hang:
            await asyncio.Event().wait()
        if self.refuse:
            raise _Refused(self.refuse)
        if not self._signed(request):
            raise web.HTTPForbidden(text="<Error><Code>SignatureDoesNotMatch</Code></Error>")

    def _signed(self, request: web.Request) -> bool:
        """AWS Signature Version 4, in the header."""
        fields = dict(part.split("=", 1) for part in request.headers["Authorization"].split(" ", 1)[1].split(", "))
        names = fields["SignedHeaders"].split(";")
        date, region = request.headers["X-Amz-Date"], self.region
        query = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in request.query.items())
        canonical = "\n".join(
            [
                request.method,
                request.rel_url.raw_path,
                "&".join(f"{name}={value}" for name, value in query),
                *(f"{name}:{request.headers[name].strip()}" for name in names),
                "",
                fields["SignedHeaders"],
                request.headers["X-Amz-Content-Sha256"],
            ]
        )
        scope = f"{date[:8]}/{region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signing = f"AWS4{self.secret}".encode()
        for part in (date[:8], region, "s3", "aws4_request", text):
            signing = hmac.digest(signing, part.encode(), "sha256")
        return fields["Credential"] == f"{self.key}/{scope}" and fields["Signature"] == signing.hex()


class _Refused(web.HTTPException):
    def __init__(self, status: int) -> None:
        self.status_code = status
        super().__init__(text="<Error><Code>RefusedByTheTest</Code></Error>")


def _tag(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def _xml(text: str) -> web.Response:
    return web.Response(text=f'<?xml version="1.0" encoding="UTF-8"?>{text}', content_type="application/xml")


def _error(status: int, code: str) -> web.Response:
    return web.Response(status=status, text=f"<Error><Code>{code}</Code></Error>", content_type="application/xml")

"""An OpenID provider that knows one person and asks for no password: whoever comes is they.

Source: OpenID Connect Core 1.0 section 3.1; Discovery 1.0.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLAIMS = {
    "staff_id": "idva-0042",
    "name": "Rosalind Featherstone",
    "organisation": "RXL",
    "team": "idva-team",
    "roles": ["adviser"],
}
CLIENT = "provide-console"


@contextmanager
def provider(issuer: str, address: str, certificate: tuple[Path, Path]) -> Iterator[None]:
    """A provider over TLS that names itself `issuer`, listening at an address of this machine."""
    key = ECKey.generate_key("P-256")
    nonces: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if asked.path == "/authorize":
                nonces.append(query["nonce"])
                self.send_response(302)
                back = urlencode({"code": "a-code", "state": query["state"]})
                self.send_header("Location", f"{query['redirect_uri']}?{back}")
                self.end_headers()
            elif asked.path == "/keys":
                self._say({"keys": [key.as_dict(private=False, use="sig", kid="one")]})
            else:
                self._say(_description(issuer))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            now = int(time.time())
            about = {"iss": issuer, "aud": CLIENT, "sub": "someone", "iat": now, "exp": now + 300, "auth_time": now}
            claims = {**CLAIMS, **about, "nonce": nonces.pop()}
            token = jwt.encode({"alg": "ES256", "kid": "one"}, claims, key)
            self._say({"access_token": "given", "token_type": "Bearer", "id_token": token})

        def _say(self, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    with ThreadingHTTPServer((address, 443), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _description(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "subject_types_supported": ["public"],
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }

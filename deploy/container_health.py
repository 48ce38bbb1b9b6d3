"""Exit status 0 when the front end's own `/health` says 200. For the container's health check."""

import os
import ssl
import sys
import urllib.request

certificate = os.environ.get("TLS_CERT") or os.environ.get("SSL_CERT_PATH")
scheme = "https" if certificate and os.environ.get("ENABLE_HTTPS", "").lower() not in ("false", "0") else "http"
host = os.environ.get("HTTP_HOST") or "127.0.0.1"
# It asks itself: what the certificate is called is of no interest here.
trust = ssl._create_unverified_context() if scheme == "https" else None
url = f"{scheme}://{'127.0.0.1' if host == '0.0.0.0' else host}:{os.environ.get('HTTP_PORT') or '3000'}/health"
try:
    with urllib.request.urlopen(url, timeout=4, context=trust):
        pass
except OSError as error:
    sys.exit(f"{url}: {error}")

